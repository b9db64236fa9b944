package io.reactiverouter.reliability;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.reliability.Operation.Kind;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.scheduler.Schedulers;

/**
 * Clients that call one after another, with a short pause in between. Three of four stay on one shard, so that the others
 * have their usual load while one is down; the rest go everywhere. Nothing is repeated: each operation is made once.
 */
final class Workload {

    static final int CLIENTS = 64;

    /** Of calls that are cancelled when nothing is going on. */
    static final double USUAL_CANCELS = 0.01;

    private static final List<Duration> TIMEOUTS =
            List.of(Duration.ofMillis(500), Duration.ofSeconds(2), Duration.ofSeconds(5));

    private static final int SHORTEST_PAUSE_MILLIS = 25;
    private static final int LONGEST_PAUSE_MILLIS = 75;
    private static final int LATEST_CANCEL_MICROS = 20_000;

    private final Bank bank;
    private final History history;
    private final List<ShardId> shards;
    private final Map<ShardId, List<Long>> users;
    private final long seed;
    private volatile double cancels = USUAL_CANCELS;
    private volatile boolean stopped;

    Workload(Bank bank, History history, Map<ShardId, List<Long>> users, long seed) {
        this.bank = bank;
        this.history = history;
        this.shards = users.keySet().stream().sorted().toList();
        this.users = users;
        this.seed = seed;
    }

    /** Returns what runs all clients; completes when all have ended after {@link #stop()}. */
    Mono<Void> clients() {
        return Flux.fromStream(IntStream.range(0, CLIENTS).mapToObj(Client::new))
                .flatMap(Client::calls, CLIENTS)
                .then();
    }

    void stop() {
        stopped = true;
    }

    /** Sets what share of calls is cancelled, some milliseconds after its begin. */
    void cancelling(double share) {
        cancels = share;
    }

    private final class Client {

        private final @Nullable ShardId home;
        private final Random random;

        Client(int number) {
            this.home = number % 4 == 3 ? null : shards.get(number % shards.size());
            this.random = new Random(seed * CLIENTS + number);
        }

        Mono<Void> calls() {
            return Mono.defer(() -> Mono.delay(pause())
                            .then(Mono.<Void>create(sink -> new Call(next(), cancelAfter(), sink).begin())))
                    .repeat(() -> !stopped)
                    .then();
        }

        private Duration pause() {
            return Duration.ofMillis(
                    SHORTEST_PAUSE_MILLIS + random.nextInt(LONGEST_PAUSE_MILLIS - SHORTEST_PAUSE_MILLIS));
        }

        private Operation next() {
            ShardId shard = home == null ? shards.get(random.nextInt(shards.size())) : home;
            List<Long> ofShard = users.getOrDefault(shard, List.of());
            return history.begin(
                    kind(random.nextInt(100)),
                    ofShard.get(random.nextInt(ofShard.size())),
                    shard,
                    TIMEOUTS.get(random.nextInt(TIMEOUTS.size())));
        }

        /** In microseconds; negative is never. */
        private int cancelAfter() {
            return random.nextDouble() < cancels ? random.nextInt(LATEST_CANCEL_MICROS) : -1;
        }
    }

    private static Kind kind(int percent) {
        if (percent < 28) {
            return Kind.TRANSFER;
        }
        if (percent < 64) {
            return Kind.INCREMENT;
        }
        if (percent < 82) {
            return Kind.READ;
        }
        if (percent < 88) {
            return Kind.STREAM;
        }
        return percent < 96 ? Kind.SESSION : Kind.ABANDON;
    }

    /** One call, which ends once: by itself, or by its cancel. */
    private final class Call {

        private final Operation operation;
        private final int cancelAfterMicros;
        private final MonoSink<Void> sink;
        private final AtomicBoolean ended = new AtomicBoolean();
        private final Disposable.Swap cancel = Disposables.swap();

        Call(Operation operation, int cancelAfterMicros, MonoSink<Void> sink) {
            this.operation = operation;
            this.cancelAfterMicros = cancelAfterMicros;
            this.sink = sink;
        }

        void begin() {
            Disposable subscription = Flux.from(bank.call(operation))
                    .subscribe(value -> {}, this::failed, () -> end(Outcome.ACKNOWLEDGED, null));
            if (cancelAfterMicros >= 0) {
                cancel.update(Schedulers.parallel()
                        .schedule(() -> cancel(subscription), cancelAfterMicros, TimeUnit.MICROSECONDS));
            }
        }

        private void failed(Throwable error) {
            if (!(error instanceof R2dbcException)) {
                history.violation(
                        Violation.STRANGE_ERROR, "an error that is none of R2DBC, " + error + ": " + operation);
            }
            end(Outcome.of(error, operation.committing()), error);
        }

        private void cancel(Disposable subscription) {
            if (ended.compareAndSet(false, true)) {
                subscription.dispose();
                // Asked after the cancel: work that completes later finds that it must not commit any more.
                ended(operation.committing() ? Outcome.UNKNOWN : Outcome.FAILED, new Cancelled());
            }
        }

        private void end(Outcome outcome, @Nullable Throwable error) {
            if (ended.compareAndSet(false, true)) {
                cancel.dispose();
                ended(outcome, error);
            }
        }

        private void ended(Outcome outcome, @Nullable Throwable error) {
            history.end(operation, outcome, error);
            sink.success();
        }
    }

    /** Stands for the client's own decision to leave. */
    private static final class Cancelled extends RuntimeException {

        private static final long serialVersionUID = 1L;

        Cancelled() {
            super("cancelled by the client", null, false, false);
        }
    }
}
