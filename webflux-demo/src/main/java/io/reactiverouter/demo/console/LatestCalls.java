package io.reactiverouter.demo.console;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.spring.autoconfigure.ReactiveRouterObservabilityProperties;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
import io.reactiverouter.topology.ShardId;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * The latest calls, and the latest that did not end well, so that many good ones do not push them out. Holds a fixed number of
 * each. Thread-safe.
 */
@Component
@ConditionalOnConsole
class LatestCalls implements CallInstrumentation {

    private static final int KEPT = 12;
    private static final int MAX_SQL = 300;

    /** A key in the Reactor context of calls that are the console's own, and are not shown. */
    private static final Object OWN = LatestCalls.class;

    private final Ring<EndedCall> calls = new Ring<>(KEPT);
    private final Ring<EndedCall> failures = new Ring<>(KEPT);
    private final AtomicLong numbers = new AtomicLong();
    private final Clock clock = Clock.systemUTC();
    private final boolean showSql;

    LatestCalls(ReactiveRouterObservabilityProperties observability) {
        this.showSql = observability.showSql();
    }

    /** Marks calls as the console's own. */
    static Context unseen(Context context) {
        return context.put(OWN, true);
    }

    static boolean isUnseen(ContextView context) {
        return context.hasKey(OWN);
    }

    /** Returns the latest calls, the last to end first. */
    List<EndedCall> calls() {
        return calls.latest();
    }

    /** Returns the latest calls that failed, or went on without a shard. */
    List<EndedCall> failures() {
        return failures.latest();
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        return Watched.by(context -> isUnseen(context) ? UNSEEN : new Call(this, call), answer);
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        return Watched.by(
                context -> {
                    Call call = context.getOrDefault(Call.class, null);
                    if (call != null) {
                        call.shards.add(attempt.node().shard().value());
                    }
                    return UNSEEN;
                },
                answer);
    }

    private void ended(Call call, String outcome, @Nullable Throwable error) {
        EndedCall ended = new EndedCall(
                numbers.incrementAndGet(),
                clock.instant(),
                call.info.keyspace(),
                call.info.kind().name().toLowerCase(Locale.ROOT),
                call.info.operation(),
                outcome,
                List.copyOf(call.shards),
                (System.nanoTime() - call.start) / 1e6,
                error == null ? null : error.getClass().getSimpleName(),
                error instanceof R2dbcException known ? known.getSqlState() : null,
                showSql ? shortened(call.info.sql()) : null);
        calls.add(ended);
        if (error != null) {
            failures.add(ended);
        }
    }

    private static @Nullable String shortened(@Nullable String sql) {
        return sql == null || sql.length() <= MAX_SQL ? sql : sql.substring(0, MAX_SQL) + "...";
    }

    private static final Watcher UNSEEN = (end, answered, error) -> {};

    /** A call that is under way; its attempts find it in their context. */
    private static final class Call implements Watcher, CallProgress {

        private final LatestCalls latest;
        private final CallInfo info;
        private final long start = System.nanoTime();
        private final Set<String> shards = new ConcurrentSkipListSet<>();
        private volatile @Nullable Throwable tolerated;

        Call(LatestCalls latest, CallInfo info) {
            this.latest = latest;
            this.info = info;
        }

        @Override
        public Context context(Context ofSubscriber) {
            return in(ofSubscriber.put(Call.class, this));
        }

        @Override
        public void tolerated(ShardId shard, Throwable failure) {
            tolerated = failure;
        }

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            Throwable missing = tolerated;
            switch (end) {
                case COMPLETE -> latest.ended(this, missing == null ? "success" : "partial", missing);
                case ERROR -> latest.ended(this, "error", error);
                case CANCEL -> latest.ended(this, "cancelled", null);
            }
        }
    }
}
