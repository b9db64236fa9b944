package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.aggregate.AggregateRow;
import io.reactiverouter.aggregate.Aggregation;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.scatter.Page;
import io.reactiverouter.schema.MigrationFailedException;
import io.reactiverouter.schema.MigrationReport;
import io.reactiverouter.schema.SchemaDrift;
import io.reactiverouter.schema.SchemaMismatchException;
import io.reactiverouter.schema.SchemaSettings;
import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** The snippet of the README, run on real shards. */
@NullUnmarked
class ReadmeIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2)
            .initSql("create table orders (order_id bigint primary key, user_id bigint, amount bigint, status text)");

    record Order(long id, long userId, long amount) {

        static Order from(Row row) {
            return new Order(row.get(0, Long.class), row.get(1, Long.class), row.get(2, Long.class));
        }
    }

    @Test
    void snippetDoesWhatItSays() {
        String url0 = SHARDS.node(0).r2dbcUrl();
        String url1 = SHARDS.node(1).r2dbcUrl();
        Order order = new Order(1, 42, 100);

        // @formatter:off
        // snippet
        ShardCluster cluster = ShardCluster.builder()
                .shard(Shard.named("s0").primary(url0)) // r2dbc:postgresql://user:password@host:5432/database
                .shard(Shard.named("s1").primary(url1))
                .pool(PoolSettings.DEFAULTS.withMaxSize(20))
                .build(); // no I/O until first use

        ShardRouter trading = cluster.router(
                Keyspace.named("trading").key("user_id").tables("orders").strategy(ShardingStrategy.hashSlots()));

        // One shard: that of the key. Commits on completion, rolls back on error and cancel.
        Mono<Long> placed = trading.shard(ShardKey.of(42L)).inTransaction(connection -> insert(connection, order));

        Flux<Order> mine = trading.shard(ShardKey.of(42L))
                .query(Query.of("select order_id, user_id, amount from orders where user_id = $1", 42L), Order::from);

        // All shards, merged as rows come, at the pace of the subscriber.
        Flux<Order> open = trading.allShards()
                .shardTimeout(Duration.ofMillis(500))
                .onFailure(FailurePolicy.FAIL_FAST)
                .query(Query.of("select order_id, user_id, amount from orders where status = $1", "OPEN"), Order::from);
        // end

        // across
        Query orders = Query.of("select order_id, user_id, amount from orders where status = $1", "OPEN");

        // The 100 largest of all shards, in order. The shards stop as soon as the answer is complete.
        Flux<Order> largest = trading.allShards()
                .orderBy(desc("amount"), asc("order_id"))
                .limit(100)
                .query(orders, Order::from);

        // Rows and then a manifest: how each shard ended, and so whether the answer is whole.
        Flux<Gathered<Order>> whatThereIs = trading.allShards()
                .shardTimeout(Duration.ofMillis(100))
                .onFailure(FailurePolicy.BEST_EFFORT)
                .gather(orders, Order::from);

        // A page, and the next one: page.next() is its cursor, null at the end.
        PageOperations pages = trading.allShards().orderBy(asc("order_id")).page(50);
        Mono<Page<Order>> first = pages.query(orders, Order::from);
        Mono<Page<Order>> second =
                first.flatMap(page -> pages.after(page.next()).query(orders, Order::from));

        // As one database would say it, over all shards.
        Aggregation byUser = Aggregation.groupBy("user_id")
                .count("orders")
                .sum("amount", "total")
                .avg("amount", "mean");
        Flux<AggregateRow> totals = trading.allShards()
                .aggregate(orders, byUser.orderBy(desc("total")).limit(10));

        // Each shard is asked for its own keys; the answer comes in the order of all of them.
        Flux<Order> ofSome = trading.lookupInOrder(List.of(ShardKey.of(42L), ShardKey.of(7L)))
                .query(Query.of("select order_id, user_id, amount from orders where user_id = any($1)"), Order::from);
        // end across

        Order next = new Order(2, 42, 200);
        // deadline
        ShardOperations user = trading.shard(ShardKey.of(42L));

        // Both calls with all their waits have ten seconds, from the subscription.
        Mono<Long> both = user.inTransaction(connection -> insert(connection, next))
                .then(user.queryOne(Query.of("select count(*) from orders"), row -> row.get(0, Long.class)))
                .contextWrite(Deadline.within(Duration.ofSeconds(10)));
        // end deadline

        // schema
        ShardMigrations schema = ShardMigrations.builder(cluster.shards())
                .settings(SchemaSettings.DEFAULTS.withLocations(List.of("classpath:db/shards")))
                .canary(ShardId.of("s1"))
                .build();

        Mono<MigrationReport> migrated = schema.migrate(); // fails with a report where one has stopped
        Mono<MigrationReport> valid = schema.validate(); // fails where a shard is not at the version of the scripts
        Mono<SchemaDrift> drift = schema.drift(); // what is really there, shard by shard
        // end schema
        // @formatter:on

        assertThat(placed.block(TIMEOUT)).isEqualTo(1);
        assertThat(mine.collectList().block(TIMEOUT)).containsExactly(order);
        assertThat(open.collectList().block(TIMEOUT)).containsExactly(order);
        assertThat(largest.collectList().block(TIMEOUT)).containsExactly(order);
        assertThat(whatThereIs.collectList().block(TIMEOUT))
                .hasSize(2)
                .last()
                .isInstanceOfSatisfying(
                        Gathered.Manifest.class,
                        last -> assertThat(last.manifest().isComplete()).isTrue());
        assertThat(first.block(TIMEOUT).rows()).containsExactly(order);
        assertThat(second.block(TIMEOUT).rows()).containsExactly(order);
        assertThat(totals.blockLast(TIMEOUT).get("total", BigDecimal.class)).isEqualByComparingTo("100");
        assertThat(ofSome.collectList().block(TIMEOUT)).containsExactly(order);
        assertThat(both.block(TIMEOUT)).isEqualTo(2);
        assertThat(drift.block(TIMEOUT).isEmpty()).isTrue();
        // The tables are there already, and the class path has no scripts.
        StepVerifier.create(migrated)
                .expectError(MigrationFailedException.class)
                .verify(TIMEOUT);
        StepVerifier.create(valid).expectError(SchemaMismatchException.class).verify(TIMEOUT);
        cluster.close().block(TIMEOUT);
    }

    private static Mono<Long> insert(Connection connection, Order order) {
        return Query.of("insert into orders values ($1, $2, $3, 'OPEN')", order.id(), order.userId(), order.amount())
                .update(connection);
    }

    @Test
    void readmeShowsThisSnippet() throws IOException {
        List<String> source =
                Files.readAllLines(Path.of("src/test/java/io/reactiverouter/ReadmeIntegrationTests.java"));
        List<String> trimmed = source.stream().map(String::strip).toList();
        String readme = normalized(Files.readAllLines(Path.of("../../README.md")));

        assertThat(readme)
                .contains(normalized(source.subList(trimmed.indexOf("// snippet") + 1, trimmed.indexOf("// end"))))
                .contains(
                        normalized(source.subList(trimmed.indexOf("// across") + 1, trimmed.indexOf("// end across"))))
                .contains(normalized(
                        source.subList(trimmed.indexOf("// deadline") + 1, trimmed.indexOf("// end deadline"))))
                .contains(
                        normalized(source.subList(trimmed.indexOf("// schema") + 1, trimmed.indexOf("// end schema"))));
    }

    /** White space does not count: the source is indented deeper, and the formatter aligns as it likes. */
    private static String normalized(List<String> lines) {
        return lines.stream()
                .map(line -> line.strip().replaceAll("\\s+", " "))
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining(" "));
    }
}
