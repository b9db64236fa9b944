package io.reactiverouter.scatter;

import io.r2dbc.spi.Connection;
import io.reactiverouter.aggregate.AggregatePlan;
import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.aggregate.PartialGroup;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.DrainOnCancel;
import io.reactiverouter.connection.LimitedWork;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.observation.CallProgress;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.stream.EndWith;
import io.reactiverouter.stream.OnError;
import io.reactiverouter.stream.Sequential;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Runs the same work on several shards and merges what they give. Holds at most {@value #HELD} rows of each shard, and no
 * more than one portion of its cursor, beside what the driver has read of that.
 */
public final class ScatterGather {

    /** Each request for more of a shard's rows wakes the thread of its connection: many small ones cost more than the rows. */
    private static final int HELD = 256;

    private final Function<@Nullable ReadPreference, ShardExecutor> executors;
    private final Function<ShardId, NodeId> nodes;
    private final Plans<List<SortKey>, SortPlan> orders = new Plans<>(SortPlan::describe);
    private final Plans<Aggregation, AggregatePlan> aggregations = new Plans<>(AggregatePlan::describe);
    private final Parallelism parallelism = new Parallelism();

    /**
     * @param executors gives what runs the parts of a call with that preference, or with none
     * @param nodes says which node takes the writes of a shard at the moment
     */
    public ScatterGather(Function<@Nullable ReadPreference, ShardExecutor> executors, Function<ShardId, NodeId> nodes) {
        this.executors = executors;
        this.nodes = nodes;
    }

    /** Returns the selected rows. */
    public <T> Flux<T> rows(
            List<ShardId> shards, ScatterSettings settings, Selection selection, ScatterQuery<T> query) {
        return Flux.deferContextual(context -> {
            Call call = new Call(shards, settings, context);
            selection.requireSense();
            return selection.order().isEmpty()
                    ? select(call, selection, call.asTheyCome(selection, query, shard -> rows -> rows))
                    : select(call, selection, ordered(call, selection, query, null))
                            .map(Keyed::value);
        });
    }

    /** Returns the selected rows, each with its shard, and the manifest as the last element. */
    public <T> Flux<Gathered<T>> gather(
            List<ShardId> shards, ScatterSettings settings, Selection selection, ScatterQuery<T> query) {
        return Flux.deferContextual(context -> {
            Call call = new Call(shards, settings, context);
            selection.requireSense();
            Flux<Gathered<T>> rows = selection.order().isEmpty()
                    ? select(
                            call,
                            selection,
                            call.asTheyCome(
                                    selection, query, shard -> part -> part.map(row -> new Gathered.Row<>(shard, row))))
                    : select(call, selection, ordered(call, selection, query, null))
                            .map(row -> new Gathered.Row<>(row.shard(), row.value()));
            return EndWith.of(rows, () -> new Gathered.Manifest<>(call.tally.manifest()));
        });
    }

    /**
     * Returns one page of the order, after the place that {@code cursor} names.
     *
     * @param selection with the size of the page as its limit
     */
    public <T> Mono<Page<T>> page(
            List<ShardId> shards,
            ScatterSettings settings,
            Selection selection,
            ScatterQuery<T> query,
            PageCursor cursors,
            @Nullable String cursor) {
        return Mono.deferContextual(context -> {
            selection.requirePage();
            Call call = new Call(shards, settings, context);
            @Nullable String[] place = cursor == null ? null : cursors.read(query.sql(), selection.order(), cursor);
            // One row more tells whether there is a next page.
            Selection more = selection.withLimit(selection.limit() + 1);
            return select(call, more, ordered(call, more, query, place))
                    .collectList()
                    .map(rows -> page(call, selection, query, cursors, rows));
        });
    }

    private static <T> Page<T> page(
            Call call, Selection selection, ScatterQuery<T> query, PageCursor cursors, List<Keyed<T>> rows) {
        int size = (int) Math.min(selection.limit(), rows.size());
        List<T> values = rows.subList(0, size).stream().map(Keyed::value).toList();
        if (rows.size() <= selection.limit()) {
            return new Page<>(values, null, call.tally.manifest());
        }
        Keyed<T> last = rows.get(size - 1);
        if (last.isEqualInOrder(rows.get(size))) {
            throw new AmbiguousPageException(selection.order());
        }
        String next = cursors.write(query.sql(), selection.order(), last.plan().encode(last.keys()));
        return new Page<>(values, next, call.tally.manifest());
    }

    /**
     * Folds the rows of each shard, as they come, and then the results of the shards. A shard that fails adds nothing.
     */
    public <T, A> Mono<A> reduce(
            List<ShardId> shards,
            ScatterSettings settings,
            ScatterQuery<T> query,
            Supplier<A> initial,
            BiFunction<A, T, A> accumulator,
            BinaryOperator<A> combiner) {
        return Mono.deferContextual(context -> {
            Call call = new Call(shards, settings, context);
            return call.parallel(
                            query,
                            shard -> call.ask(
                                    shard,
                                    (node, connection) -> Flux.from(query.<T>run(
                                                    connection,
                                                    query.sql(),
                                                    query.parameters(shard),
                                                    query.fetchSize(),
                                                    query::map))
                                            .reduceWith(initial, accumulator),
                                    false,
                                    null))
                    .reduce(
                            Optional.<A>empty(),
                            (all, part) -> Optional.of(all.isEmpty() ? part : combiner.apply(all.get(), part)))
                    .map(all -> all.orElseGet(initial));
        });
    }

    /** Returns the groups of an aggregation, or its one row. All shards must answer. */
    public Flux<AggregateRow> aggregate(
            List<ShardId> shards, ScatterSettings settings, ScatterQuery<?> query, Aggregation aggregation) {
        return Flux.deferContextual(context -> {
            Call call = new Call(shards, settings.withPolicy(FailurePolicy.FAIL_FAST), context);
            return firstPlan(call, query, aggregation)
                    .flatMapMany(plan -> plan.merge(inOrder(
                            call,
                            query,
                            plan.comparator(),
                            false,
                            shard -> groups(call, query, aggregation, shard, plan))));
        });
    }

    /** The types of the first shard are needed before there is a row of any. */
    private Mono<AggregatePlan> firstPlan(Call call, ScatterQuery<?> query, Aggregation aggregation) {
        ShardId first = call.shards.get(0);
        NodeId node = nodes.apply(first);
        AggregatePlan known = aggregations.known(node, first, query, aggregation);
        if (known != null) {
            return Mono.just(known);
        }
        Tally.Part part = call.tally.part(first);
        part.ask();
        Flux<AggregatePlan> limited =
                call.limited(first, node, connection -> aggregations.plan(node, first, connection, query, aggregation));
        return OnError.handle(limited, error -> call.tally.failed(part, error)).singleOrEmpty();
    }

    private Work<PartialGroup> groups(
            Call call, ScatterQuery<?> query, Aggregation aggregation, ShardId shard, AggregatePlan first) {
        return (node, connection) -> aggregations
                .plan(node, shard, connection, query, aggregation)
                .doOnNext(first::requireSame)
                .flatMapMany(plan -> query.<PartialGroup>run(
                        connection, plan.shardQuery(), query.parameters(shard), query.fetchSize(), first::read))
                .doOnError(error -> call.nodes().forEach(each -> aggregations.forget(each, query, aggregation)));
    }

    /** Runs work that gives the number of rows it wrote on each shard, and returns how each ended. */
    public Mono<ScatterManifest> run(
            List<ShardId> shards,
            ScatterSettings settings,
            Function<? super Connection, ? extends Publisher<Long>> work) {
        return Mono.deferContextual(context -> {
            Call call = new Call(shards, settings.withReading(null), context);
            return Flux.fromIterable(shards)
                    .flatMap(
                            shard -> call.ask(shard, (node, connection) -> work.apply(connection), false, null)
                                    .doOnNext(count -> call.tally.part(shard).written(count)),
                            settings.concurrency())
                    .then(Mono.fromSupplier(call.tally::manifest));
        });
    }

    private <T> Flux<Keyed<T>> ordered(
            Call call, Selection selection, ScatterQuery<T> query, @Nullable String @Nullable [] place) {
        OrderCheck check = new OrderCheck();
        Flux<Keyed<T>> merged = inOrder(
                call,
                query,
                Keyed.ORDER,
                selection.isPortion(query.fetchSize()),
                shard -> sorted(call, selection, query, place, shard, check));
        return selection.distinct() ? merged.distinctUntilChanged(row -> row, Keyed::isEqualInOrder) : merged;
    }

    /**
     * Merges what all shards deliver in an order.
     *
     * @param portion whether each shard delivers no more than the server sends at once
     */
    private static <R> Flux<R> inOrder(
            Call call,
            ScatterQuery<?> query,
            Comparator<? super R> order,
            boolean portion,
            Function<ShardId, Work<R>> works) {
        Parallelism.Run run = call.next(query);
        FanOut fanOut = new FanOut(call.shards.size(), run.width(), () -> call.took(run));
        int[] turns = FanOut.turns(call.shards);
        List<Publisher<R>> parts = new ArrayList<>(turns.length);
        for (int i = 0; i < turns.length; i++) {
            ShardId shard = call.shards.get(i);
            FanOut.Part turn = fanOut.part(turns[i]);
            parts.add(turn.begin(call.ask(shard, works.apply(shard), portion, turn)));
        }
        @SuppressWarnings({"unchecked", "rawtypes"})
        Publisher<R>[] sources = parts.toArray(new Publisher[0]);
        return sources.length == 1
                ? Flux.from(sources[0])
                : call.watched(run, Flux.mergeComparing(held(query), order, sources))
                        .doOnNext(row -> call.tally.check());
    }

    /** A shard sends no second portion before somebody wants its rows. */
    private static int held(ScatterQuery<?> query) {
        int portion = query.fetchSize();
        return portion == 0 ? HELD : Math.min(HELD, portion);
    }

    private <T> Work<Keyed<T>> sorted(
            Call call,
            Selection selection,
            ScatterQuery<T> query,
            @Nullable String @Nullable [] place,
            ShardId shard,
            OrderCheck check) {
        return (node, connection) -> orders.plan(node, shard, connection, query, selection.order())
                .flatMapMany(plan -> {
                    ShardSql statement = place == null
                            ? ShardSql.ordered(query, shard, selection, plan)
                            : ShardSql.after(query, shard, selection, plan, place);
                    if (statement == null) {
                        return Flux.empty();
                    }
                    OrderCheck.OfShard<T> ofShard = check.ofShard();
                    return query.run(
                            connection,
                            statement.sql(),
                            statement.parameters(),
                            statement.portion(query.fetchSize()),
                            row -> {
                                Keyed<T> last = ofShard.last();
                                // Nobody gets the rest.
                                return last != null && call.tally.isLimitReached()
                                        ? last
                                        : ofShard.next(new Keyed<>(shard, plan, plan.read(row), query.map(row)));
                            });
                })
                .doOnError(error -> call.nodes().forEach(each -> orders.forget(each, query, selection.order())));
    }

    private static <R> Flux<R> select(Call call, Selection selection, Flux<R> rows) {
        Flux<R> from = selection.offset() == 0 ? rows : rows.skip(selection.offset());
        if (!selection.isLimited()) {
            return from;
        }
        return from.index((index, row) -> {
                    call.tally.check();
                    if (index + 1 == selection.limit()) {
                        call.tally.limitReached();
                    }
                    return row;
                })
                .take(selection.limit());
    }

    /** What runs on the connection to one node. */
    @FunctionalInterface
    private interface Work<T> {

        Publisher<T> apply(NodeId node, Connection connection);
    }

    /** One subscription. */
    private final class Call {

        private final List<ShardId> shards;
        private final ScatterSettings settings;
        private final ShardExecutor executor;
        private final Tally tally;
        private final @Nullable Deadline deadline;
        private final long startNanos = System.nanoTime();

        Call(List<ShardId> shards, ScatterSettings settings, ContextView context) {
            this.shards = shards;
            this.settings = settings;
            this.executor = executors.apply(settings.reading());
            CallProgress progress = CallProgress.of(context);
            this.tally = new Tally(shards, tolerated(settings.policy(), shards.size()), progress);
            progress.asking(shards.size());
            this.deadline = Deadline.of(context, settings.deadline());
        }

        private static int tolerated(FailurePolicy policy, int shards) {
            int tolerated = policy.tolerated(shards);
            if (tolerated < 0) {
                throw new IllegalArgumentException(
                        "a failure policy must tolerate 0 failures of " + shards + " shards or more, was " + tolerated);
            }
            return tolerated;
        }

        /** Returns the nodes of all shards: when one says something new about its tables, the others may too. */
        List<NodeId> nodes() {
            return shards.stream().map(nodes).toList();
        }

        <T, R> Flux<R> asTheyCome(
                Selection selection, ScatterQuery<T> query, Function<ShardId, Function<Flux<T>, Flux<R>>> shape) {
            Function<ShardId, Flux<R>> part = shard -> ask(
                            shard,
                            (node, connection) -> {
                                ShardSql statement = ShardSql.unordered(query, shard, selection);
                                return query.<T>run(
                                        connection,
                                        statement.sql(),
                                        statement.parameters(),
                                        statement.portion(query.fetchSize()),
                                        query::map);
                            },
                            false,
                            null)
                    .transform(shape.apply(shard));
            return selection.sequential() ? Sequential.of(shards, part) : parallel(query, part);
        }

        /** Merges the parts of all shards as they come. */
        <R> Flux<R> parallel(ScatterQuery<?> query, Function<ShardId, Flux<R>> part) {
            Parallelism.Run run = next(query);
            return watched(run, Flux.fromIterable(shards).flatMap(part, run.width(), held(query)))
                    .doOnComplete(() -> took(run));
        }

        <R> Flux<R> watched(Parallelism.Run run, Flux<R> answer) {
            return answer.doOnError(error -> run.failed()).doOnCancel(() -> {
                if (!tally.isLimitReached()) {
                    run.cancelled(System.nanoTime() - startNanos);
                }
            });
        }

        Parallelism.Run next(ScatterQuery<?> query) {
            return parallelism.next(query.sql(), shards.size(), settings.concurrency());
        }

        void took(Parallelism.Run run) {
            if (tally.hasFailures()) {
                run.failed();
            } else {
                run.took(System.nanoTime() - startNanos);
            }
        }

        /**
         * Returns one shard's part. Its failure is this part's error only if it ends the whole call.
         *
         * @param portion whether what is left is soon read to its end when the call has reached its limit
         */
        <T> Flux<T> ask(ShardId shard, Work<T> work, boolean portion, FanOut.@Nullable Part turn) {
            Tally.Part part = tally.part(shard);
            Flux<T> rows = Flux.defer(() -> {
                        part.ask();
                        NodeId node = nodes.apply(shard);
                        Flux<T> answer = limited(shard, node, connection -> {
                            if (turn != null) {
                                turn.connected();
                            }
                            return work.apply(node, connection);
                        });
                        return portion ? DrainOnCancel.of(answer, tally::isLimitReached) : answer;
                    })
                    .doOnNext(row -> {
                        if (part.row() && turn != null) {
                            turn.answered();
                        }
                    })
                    .doOnComplete(part::complete);
            return OnError.handle(rows, error -> tally.failed(part, error));
        }

        <T> Flux<T> limited(ShardId shard, NodeId node, Function<Connection, Publisher<T>> work) {
            LimitedWork<T> limitedWork = new LimitedWork<>(work);
            Flux<T> limited = AnswerTimeout.limit(
                    executor.execute(node, Residue.NONE, limitedWork),
                    shard,
                    settings.shardTimeout(),
                    deadline,
                    limitedWork::consequence);
            // The server is told of it too.
            return deadline == null ? limited : limited.contextWrite(deadline::in);
        }
    }
}
