package io.reactiverouter.demo.trading;

import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;

import io.reactiverouter.Query;
import io.reactiverouter.ScatterOperations;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.demo.DatabaseProblem;
import io.reactiverouter.demo.IdleLimit;
import io.reactiverouter.demo.IdleLimit.IdleClientException;
import io.reactiverouter.demo.Permits;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterFailure;
import io.reactiverouter.topology.ReadPreference;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/**
 * Streams orders of all shards, no faster than they are taken. A stream holds a connection of every shard until its client
 * has read it or leaves, and slow clients must not take all of them from the others: there is a limit to the number of
 * streams. Pages hold none between two requests, and are the better choice for many clients.
 */
@Service
class OrderStreams {

    /** How long a shard may let a stream wait; a slow client does not count. */
    static final Duration SHARD_LIMIT = Duration.ofSeconds(30);

    /** What is read ahead of a pace, in portions of one shard. */
    private static final int PORTIONS = 4;

    private final ShardRouter router;
    private final StreamProperties limits;
    private final Permits open;

    OrderStreams(ShardRouter router, StreamProperties limits) {
        this.router = router;
        this.limits = limits;
        this.open = new Permits(limits.max(), "all " + limits.max() + " streams are in use; try again later");
    }

    /**
     * What a client wants of a stream in order.
     *
     * @param limit orders at most, null for all
     * @param bestEffort whether an answer without some shards is better than none
     * @param shardTimeout how long a shard may let it wait
     */
    record Terms(@Nullable Long limit, boolean bestEffort, Duration shardTimeout) {}

    /**
     * Streams orders as they come, and then how the stream ended, as {@link #largestFirst} does.
     *
     * @param pace orders a second at most, null for as many as the client takes
     */
    Flux<StreamElement> any(OrderFilter filter, @Nullable Integer pace) {
        return withVisibleEnd(gather(reading().shardTimeout(SHARD_LIMIT), filter.toQuery(), pace));
    }

    /**
     * Streams orders, those of the largest amount first, and then how the stream ended. Fails only before the first order:
     * after it the status is sent, and an error would be no more than a broken connection to the client.
     */
    Flux<StreamElement> largestFirst(OrderFilter filter, Terms terms) {
        ScatterOperations shards = reading()
                .shardTimeout(terms.shardTimeout())
                .onFailure(terms.bestEffort() ? FailurePolicy.BEST_EFFORT : FailurePolicy.FAIL_FAST)
                .orderBy(desc("amount"), asc("order_id"));
        return withVisibleEnd(
                gather(terms.limit() == null ? shards : shards.limit(terms.limit()), filter.toQueryWithAmount(), null));
    }

    /** From the primaries: a replica may end a long query in favour of what it has to replay. */
    private ScatterOperations reading() {
        return router.allShards().reading(ReadPreference.primary());
    }

    /** The limits are inside of the visible end: its client may be one that does not read, and must not hold a permit. */
    private Flux<Gathered<OrderView>> gather(ScatterOperations shards, Query query, @Nullable Integer pace) {
        Flux<Gathered<OrderView>> rows = shards.deadline(limits.maxDuration())
                .gather(query.fetchSize(limits.fetchSize()), row -> OrderView.from(row, ""));
        return open.during(IdleLimit.of(limits.idleTimeout(), pace == null ? rows : paced(pace, rows)));
    }

    /** Asked for a few rows at a time, the merge takes them from one shard for as long as that one has some. */
    private <T> Flux<T> paced(int pace, Flux<T> rows) {
        // In place of limitRate, behind which an error waits for the rows before it.
        return Paced.of(pace, rows.publishOn(Schedulers.immediate(), false, PORTIONS * limits.fetchSize()));
    }

    private Flux<StreamElement> withVisibleEnd(Flux<Gathered<OrderView>> gathered) {
        return Flux.defer(() -> {
            long start = System.nanoTime();
            AtomicLong sent = new AtomicLong();
            return gathered.map(element -> element(element, sent))
                    .onErrorResume(error -> {
                        boolean over = System.nanoTime() - start
                                >= limits.maxDuration().toNanos();
                        return sent.get() > 0 ? Flux.just(broken(error, over, sent.get())) : Flux.error(error);
                    })
                    // There is one end, whatever happens at the same moment.
                    .takeUntil(element -> !(element instanceof OrderView));
        });
    }

    private static StreamElement element(Gathered<OrderView> gathered, AtomicLong sent) {
        if (gathered instanceof Gathered.Row<OrderView> row) {
            sent.incrementAndGet();
            return row.value().on(row.shard().value());
        }
        return new StreamElement.End(ManifestView.of(((Gathered.Manifest<OrderView>) gathered).manifest(), sent.get()));
    }

    private StreamElement broken(Throwable error, boolean over, long sent) {
        return new StreamElement.Broken(
                problem(error, over),
                ScatterFailure.of(error)
                        .map(failure -> ManifestView.of(failure.manifest(), sent))
                        .orElse(null));
    }

    private ProblemDetail problem(Throwable error, boolean over) {
        if (error instanceof IdleClientException) {
            return tooSlow("nothing was read for " + limits.idleTimeout());
        }
        return over && error instanceof CallTimeoutException
                ? tooSlow("the stream was open for " + limits.maxDuration() + ", the longest that is allowed")
                : DatabaseProblem.of(error);
    }

    /** It is the client's time that is over, so no shard is to blame and none is named. */
    private static ProblemDetail tooSlow(String detail) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.REQUEST_TIMEOUT, detail);
        problem.setTitle("Stream ended early");
        return problem;
    }
}
