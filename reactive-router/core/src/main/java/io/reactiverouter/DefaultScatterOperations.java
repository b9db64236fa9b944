package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.Page;
import io.reactiverouter.scatter.ScatterManifest;
import io.reactiverouter.scatter.ScatterSettings;
import io.reactiverouter.scatter.Selection;
import io.reactiverouter.stream.ErrorsStop;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Calls to several shards, found by {@code route} with each subscription. */
final class DefaultScatterOperations implements ScatterOperations {

    /**
     * What is asked.
     *
     * @param lookup the keys that are looked up, null if it is not by keys
     */
    record Targets(List<ShardId> shards, @Nullable KeyLookup lookup) {

        <T> MappedQuery<T> mapped(Query query, Function<? super Row, ? extends T> mapper) {
            return lookup == null
                    ? new MappedQuery<>(query, shard -> query.parameters(), mapper)
                    : lookup.mapped(query, mapper);
        }
    }

    private final DefaultShardCluster cluster;
    private final @Nullable String keyspace;
    private final Supplier<Targets> route;
    private final ScatterSettings settings;
    private final Selection selection;

    DefaultScatterOperations(
            DefaultShardCluster cluster,
            @Nullable String keyspace,
            Supplier<Targets> route,
            ScatterSettings settings,
            Selection selection) {
        this.cluster = cluster;
        this.keyspace = keyspace;
        this.route = route;
        this.settings = settings;
        this.selection = selection;
    }

    @Override
    public ScatterOperations shardTimeout(Duration timeout) {
        return with(settings.withShardTimeout(timeout));
    }

    @Override
    public ScatterOperations deadline(Duration limit) {
        return with(settings.withDeadline(limit));
    }

    @Override
    public ScatterOperations reading(ReadPreference preference) {
        return with(settings.withReading(preference));
    }

    @Override
    public ScatterOperations onFailure(FailurePolicy policy) {
        return with(settings.withPolicy(policy));
    }

    @Override
    public ScatterOperations concurrency(int shards) {
        return with(settings.withConcurrency(shards));
    }

    @Override
    public ScatterOperations orderBy(SortKey... keys) {
        return with(selection.withOrder(List.of(keys), false));
    }

    @Override
    public ScatterOperations sortedBy(SortKey... keys) {
        return with(selection.withOrder(List.of(keys), true));
    }

    @Override
    public ScatterOperations distinct() {
        return with(selection.withDistinct());
    }

    @Override
    public ScatterOperations sequential() {
        return with(selection.inSequence());
    }

    @Override
    public ScatterOperations offset(long rows) {
        return with(selection.withOffset(rows));
    }

    @Override
    public ScatterOperations limit(long rows) {
        return with(selection.withLimit(rows));
    }

    @Override
    public PageOperations page(int rows) {
        if (rows < 1 || rows > MAX_PAGE) {
            throw new IllegalArgumentException("a page must have from 1 to " + MAX_PAGE + " rows, was " + rows);
        }
        return new DefaultPageOperations(with(selection.withLimit(rows)), null);
    }

    <T> Mono<Page<T>> page(Query query, Function<? super Row, ? extends T> mapper, @Nullable String cursor) {
        return oneOutsideOfTransactions(
                "page",
                query,
                targets -> cluster.scatter()
                        .page(
                                targets.shards(),
                                settings.withPolicy(FailurePolicy.FAIL_FAST),
                                selection,
                                targets.<T>mapped(query, mapper),
                                cluster.cursors(),
                                cursor));
    }

    @Override
    public <T> Flux<T> query(Query query, Function<? super Row, ? extends T> mapper) {
        return outsideOfTransactions(
                "query",
                query,
                targets -> cluster.scatter()
                        .rows(targets.shards(), settings, selection, targets.<T>mapped(query, mapper)));
    }

    @Override
    public <T> Flux<Gathered<T>> gather(Query query, Function<? super Row, ? extends T> mapper) {
        return outsideOfTransactions(
                "gather",
                query,
                targets -> cluster.scatter()
                        .gather(targets.shards(), settings, selection, targets.<T>mapped(query, mapper)));
    }

    @Override
    public <T, A> Mono<A> reduce(
            Query query,
            Function<? super Row, ? extends T> mapper,
            Supplier<A> initial,
            BiFunction<A, T, A> accumulator,
            BinaryOperator<A> combiner) {
        requireAllRows("a reduction");
        return oneOutsideOfTransactions(
                "reduce",
                query,
                targets -> cluster.scatter()
                        .reduce(
                                targets.shards(),
                                settings,
                                targets.<T>mapped(query, mapper),
                                initial,
                                accumulator,
                                combiner));
    }

    @Override
    public Flux<AggregateRow> aggregate(Query query, Aggregation aggregation) {
        requireAllRows("an aggregation");
        return outsideOfTransactions(
                "aggregate",
                query,
                targets -> cluster.scatter()
                        .aggregate(
                                oneAtLeast(targets.shards()),
                                settings,
                                targets.mapped(query, row -> row),
                                aggregation));
    }

    /** A range that no shard can hold rows of has an aggregate too, as the count 0: any server can say which. */
    private List<ShardId> oneAtLeast(List<ShardId> shards) {
        return shards.isEmpty() ? cluster.shardIds().subList(0, 1) : shards;
    }

    private void requireAllRows(String what) {
        if (!selection.equals(Selection.ALL)) {
            throw new IllegalArgumentException(what + " takes neither order nor limit, which were set: " + selection
                    + "; put them into the query");
        }
    }

    @Override
    public Mono<ScatterManifest> execute(String sql) {
        requireAllRows("a statement without rows");
        Query statement = Query.of(sql);
        return oneOutsideOfTransactions(
                "execute", statement, targets -> cluster.scatter().run(targets.shards(), settings, statement::update));
    }

    /**
     * A caller's {@code onErrorContinue} reaches up into the operators of the answer, where it would take the failure of a
     * shard for an element to leave out: {@link ErrorsStop} keeps it away.
     */
    private <T> Flux<T> outsideOfTransactions(String operation, Query query, Function<Targets, Flux<T>> call) {
        Flux<T> answer = ErrorsStop.in(Flux.deferContextual(context -> {
            cluster.requireNoTransaction(
                    context, () -> "scatter-gather over shards " + route.get().shards());
            return call.apply(route.get());
        }));
        return cluster.observed(keyspace, CallKind.SCATTER, operation, query.sql(), answer);
    }

    private <T> Mono<T> oneOutsideOfTransactions(String operation, Query query, Function<Targets, Mono<T>> call) {
        return outsideOfTransactions(
                        operation, query, targets -> call.apply(targets).flux())
                .singleOrEmpty();
    }

    private DefaultScatterOperations with(ScatterSettings changed) {
        return new DefaultScatterOperations(cluster, keyspace, route, changed, selection);
    }

    private DefaultScatterOperations with(Selection changed) {
        return new DefaultScatterOperations(cluster, keyspace, route, settings, changed);
    }
}
