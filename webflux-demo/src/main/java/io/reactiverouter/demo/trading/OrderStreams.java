package io.reactiverouter.demo.trading;

import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;

import io.reactiverouter.ScatterOperations;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.demo.DatabaseProblem;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.ScatterFailure;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;

/**
 * Streams orders of all shards, no faster than they are taken. A stream holds a connection of every shard until its client
 * has read it or leaves, and slow clients must not take all of them from the others: there is a limit to the number of
 * streams. Pages hold none between two requests, and are the better choice for many clients.
 */
@Service
class OrderStreams {

    /** How long a shard may let a stream wait; a slow client does not count. */
    static final Duration SHARD_LIMIT = Duration.ofSeconds(30);

    private final ShardRouter router;
    private final Permits open;
    private final int fetchSize;

    OrderStreams(ShardRouter router, StreamProperties streams) {
        this.router = router;
        this.open = new Permits(streams.max(), "all " + streams.max() + " streams are in use; try again later");
        this.fetchSize = streams.fetchSize();
    }

    /**
     * What a client wants of a stream in order.
     *
     * @param limit orders at most, null for all
     * @param bestEffort whether an answer without some shards is better than none
     * @param shardTimeout how long a shard may let it wait
     */
    record Terms(@Nullable Long limit, boolean bestEffort, Duration shardTimeout) {}

    /** Streams orders as they come. */
    Flux<OrderView> any(OrderFilter filter) {
        return open.during(router.allShards()
                .shardTimeout(SHARD_LIMIT)
                .gather(filter.toQuery().fetchSize(fetchSize), row -> OrderView.from(row, ""))
                .handle((element, sink) -> {
                    if (element instanceof Gathered.Row<OrderView> row) {
                        sink.next(row.value().on(row.shard().value()));
                    }
                }));
    }

    /**
     * Streams orders, those of the largest amount first, and then how the stream ended. Fails only before the first order:
     * after it the status is sent, and an error would be no more than a broken connection to the client.
     */
    Flux<StreamElement> largestFirst(OrderFilter filter, Terms terms) {
        ScatterOperations shards = router.allShards()
                .shardTimeout(terms.shardTimeout())
                .onFailure(terms.bestEffort() ? FailurePolicy.BEST_EFFORT : FailurePolicy.FAIL_FAST)
                .orderBy(desc("amount"), asc("order_id"));
        ScatterOperations limited = terms.limit() == null ? shards : shards.limit(terms.limit());
        return open.during(withVisibleEnd(
                limited.gather(filter.toQueryWithAmount().fetchSize(fetchSize), row -> OrderView.from(row, ""))));
    }

    private static Flux<StreamElement> withVisibleEnd(Flux<Gathered<OrderView>> gathered) {
        return Flux.defer(() -> {
            AtomicLong sent = new AtomicLong();
            return gathered.map(element -> element(element, sent))
                    .onErrorResume(error -> sent.get() > 0 ? Flux.just(broken(error, sent.get())) : Flux.error(error));
        });
    }

    private static StreamElement element(Gathered<OrderView> gathered, AtomicLong sent) {
        if (gathered instanceof Gathered.Row<OrderView> row) {
            sent.incrementAndGet();
            return row.value().on(row.shard().value());
        }
        return new StreamElement.End(ManifestView.of(((Gathered.Manifest<OrderView>) gathered).manifest(), sent.get()));
    }

    private static StreamElement broken(Throwable error, long sent) {
        return new StreamElement.Broken(
                DatabaseProblem.of(error),
                ScatterFailure.of(error)
                        .map(failure -> ManifestView.of(failure.manifest(), sent))
                        .orElse(null));
    }
}
