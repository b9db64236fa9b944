package io.reactiverouter.demo.trading;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.TransactionOptions;
import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.demo.trading.SampleOrders.Sample;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Fills empty tables once the server listens: it answers meanwhile, and reports itself ready afterwards. Runs on the main
 * thread, which may block.
 */
@Component
class TradingSetup implements ApplicationRunner {

    private static final Logger LOG = LoggerFactory.getLogger(TradingSetup.class);
    private static final Duration AUDIT_LIMIT = Duration.ofMinutes(1);
    private static final Duration LOAD_LIMIT = Duration.ofMinutes(10);
    private static final int ROWS_AT_ONCE = 2_500;

    private final ShardCluster cluster;
    private final ShardRouter router;
    private final LoadProperties load;
    private final Environment environment;
    private final ObjectProvider<EmbeddedShards> embedded;

    TradingSetup(
            ShardCluster cluster,
            ShardRouter router,
            LoadProperties load,
            Environment environment,
            ObjectProvider<EmbeddedShards> embedded) {
        this.embedded = embedded;
        this.cluster = cluster;
        this.router = router;
        this.load = load;
        this.environment = environment;
    }

    @Override
    public void run(ApplicationArguments arguments) {
        if (load.enabled()) {
            load();
        }
        audit();
        LOG.info(
                "{} {} shards: users {}; open http://localhost:{}/",
                embedded.getIfAvailable() == null
                        ? "running on"
                        : "reactive-router.shards is not set, so running on embedded PostgreSQL:",
                cluster.shards().size(),
                LongStream.rangeClosed(1, 5)
                        .mapToObj(user ->
                                user + " on " + router.route(ShardKey.of(user)).shard())
                        .collect(Collectors.joining(", ")),
                environment.getProperty("local.server.port", "?"));
    }

    private void load() {
        long start = System.nanoTime();
        AtomicInteger loaded = new AtomicInteger();
        Map<ShardId, List<Long>> users = new LinkedHashMap<>();
        LongStream.rangeClosed(1, load.users())
                .forEach(user -> users.computeIfAbsent(home(user), shard -> new ArrayList<>())
                        .add(user));
        Map<ShardId, List<Sample>> orders =
                SampleOrders.generate(load).stream().collect(Collectors.groupingBy(sample -> home(sample.userId())));
        Flux.fromIterable(users.keySet())
                .filterWhen(this::isEmpty)
                .flatMap(shard -> fill(
                                shard, users.getOrDefault(shard, List.of()), orders.getOrDefault(shard, List.of()))
                        .doOnNext(rows -> progress(loaded.addAndGet(rows))))
                .then()
                .block(LOAD_LIMIT);
        if (loaded.get() > 0) {
            LOG.info(
                    "loaded {} orders of {} users in {} ms",
                    loaded,
                    load.users(),
                    Duration.ofNanos(System.nanoTime() - start).toMillis());
        }
    }

    private Mono<Boolean> isEmpty(ShardId shard) {
        return cluster.shard(shard)
                .queryOne(
                        Query.of("select not exists (select from users)"),
                        row -> OrderView.required(row, 0, Boolean.class));
    }

    private ShardId home(long user) {
        return router.route(ShardKey.of(user)).shard();
    }

    /** Fills one shard in one transaction, so that a start that is broken off leaves it empty. */
    private Flux<Integer> fill(ShardId shard, List<Long> users, List<Sample> orders) {
        List<List<Sample>> parts = new ArrayList<>();
        for (int i = 0; i < orders.size(); i += ROWS_AT_ONCE) {
            parts.add(orders.subList(i, Math.min(orders.size(), i + ROWS_AT_ONCE)));
        }
        return cluster.shard(shard)
                .inTransactionMany(
                        TransactionOptions.DEFAULTS,
                        connection -> Query.of(
                                        "insert into users select unnest($1::bigint[]), now() on conflict do nothing",
                                        (Object) users.toArray(Long[]::new))
                                .update(connection)
                                .thenMany(Flux.fromIterable(parts))
                                .concatMap(part -> SampleOrders.insert(part)
                                        .update(connection)
                                        .thenReturn(part.size()))
                                .concatWith(Query.of("insert into positions select user_id, symbol,"
                                                + " sum(case side when 'BUY' then quantity else -quantity end),"
                                                + " sum(case side when 'BUY' then quantity else -quantity end * price)"
                                                + " from trades group by user_id, symbol")
                                        .update(connection)
                                        .then(Mono.empty())));
    }

    private void progress(int rows) {
        if (rows / 25_000 != (rows - ROWS_AT_ONCE) / 25_000) {
            LOG.info("loading: {} of {} orders", rows, load.orders());
        }
    }

    /** A row elsewhere than its key says would never be found again. */
    private void audit() {
        Map<ShardId, Map<String, TableAudit>> found = router.audit()
                .collect(Collectors.groupingBy(TableAudit::shard, Collectors.toMap(TableAudit::table, audit -> audit)))
                .blockOptional(AUDIT_LIMIT)
                .orElseThrow();
        for (Shard shard : cluster.shards()) {
            Map<String, TableAudit> tables = found.getOrDefault(shard.id(), Map.of());
            LOG.info(
                    "audit: {} holds {} orders of {} users, {} rows of all tables are misplaced",
                    shard.id(),
                    rows(tables, "orders"),
                    rows(tables, "users"),
                    tables.values().stream().mapToLong(TableAudit::misplaced).sum());
        }
    }

    private static long rows(Map<String, TableAudit> tables, String table) {
        TableAudit audit = tables.get(table);
        return audit == null ? 0 : audit.rows();
    }
}
