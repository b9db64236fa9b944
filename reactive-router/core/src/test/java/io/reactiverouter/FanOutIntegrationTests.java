package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;

/** How many shards are at work at the same time. All are on one server, so that statements can stand in each other's way. */
@Tag("undisturbed")
@NullUnmarked
class FanOutIntegrationTests {

    private static final int SHARD_COUNT = 2;
    private static final String APP = "fan-out-tests";

    @RegisterExtension
    static final ShardsExtension SERVER = ShardsExtension.embedded(1);

    private ShardCluster cluster;

    @BeforeEach
    void start() {
        cluster = ShardCluster.builder()
                .shards(IntStream.range(0, SHARD_COUNT)
                        .mapToObj(
                                i -> Shard.named("s" + i).primary(SERVER.node(0).r2dbcUrl()))
                        .toList())
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP))
                .build();
    }

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    /** Calls a function of the server on all shards, again and again, and returns how many were at work in each call. */
    private Flux<Long> widths(String function) {
        Query query = Query.of("select (select count(*) from pg_stat_activity"
                + " where state = 'active' and application_name = '" + APP + "') as n, " + function);
        return cluster.router(Keyspace.named("k").key("id").strategy(ShardingStrategy.modulo()))
                .allShards()
                .query(query, row -> row.get("n", Long.class))
                .reduce(Math::max)
                .repeat();
    }

    @Test
    void statementsThatWaitForEachOtherComeToRunOneByOne() {
        // Long enough that the way to the server, which parallel calls share, and other work of the machine do not
        // count.
        widths("pg_advisory_xact_lock(1), pg_sleep(0.05)")
                .map(width -> width == 1)
                .buffer(10)
                .takeUntil(alone -> Collections.frequency(alone, true) >= 9)
                .then()
                .block(TIMEOUT.multipliedBy(2));
    }

    @Test
    void statementsThatDoNotStayParallel() {
        List<Long> widths = widths("pg_sleep(0.01)").take(450).collectList().block(TIMEOUT.multipliedBy(2));

        assertThat(widths).contains(1L);
        assertThat(Collections.frequency(widths.subList(400, 450), 2L)).isGreaterThan(40);
    }
}
