package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.io.IOException;
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
        // @formatter:on

        assertThat(placed.block(TIMEOUT)).isEqualTo(1);
        assertThat(mine.collectList().block(TIMEOUT)).containsExactly(order);
        assertThat(open.collectList().block(TIMEOUT)).containsExactly(order);
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
        String snippet = normalized(source.subList(trimmed.indexOf("// snippet") + 1, trimmed.indexOf("// end")));

        assertThat(normalized(Files.readAllLines(Path.of("../../README.md")))).contains(snippet);
    }

    /** White space does not count: the source is indented deeper, and the formatter aligns as it likes. */
    private static String normalized(List<String> lines) {
        return lines.stream()
                .map(line -> line.strip().replaceAll("\\s+", " "))
                .filter(line -> !line.isEmpty())
                .collect(Collectors.joining(" "));
    }
}
