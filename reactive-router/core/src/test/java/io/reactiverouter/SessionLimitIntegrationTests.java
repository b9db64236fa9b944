package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** The server's {@code statement_timeout} on one connection that calls with and without deadlines share. */
@NullUnmarked
class SessionLimitIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS =
            ShardsExtension.embedded(1).setting("shared_preload_libraries", "pg_stat_statements");

    private static final Query SHOW = Query.of("show statement_timeout");
    private static final Function<Context, Context> DEADLINE = Deadline.within(Duration.ofSeconds(28));

    /** The next step above, far from the one below. */
    private static final String SET = "28672ms";

    private ShardCluster cluster;
    private ShardOperations shard;

    @BeforeAll
    static void countStatements() throws SQLException {
        try (java.sql.Connection superuser = SHARDS.node(0).openSuperuserJdbc();
                java.sql.Statement statement = superuser.createStatement()) {
            statement.execute("create extension pg_stat_statements");
        }
    }

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    @Test
    void isThatOfTheCall() {
        open(ConnectionSettings.DEFAULTS);

        assertThat(shown(shard)).isEqualTo("0");
        assertThat(limited(DEADLINE)).isEqualTo(SET);
        assertThat(limited(Deadline.within(Duration.ofSeconds(20)))).isEqualTo("20480ms");
        assertThat(limited(Deadline.within(Duration.ofDays(60))))
                .as("no number for it")
                .isEqualTo("0");
        assertThat(limited(Deadline.within(Duration.ofSeconds(20)))).isEqualTo("20480ms");
        assertThat(shown(shard)).isEqualTo("0");
    }

    @ParameterizedTest
    @MethodSource("waysToAConnection")
    void isSetAndSetBackOnEveryWayToAConnection(Function<ShardOperations, Mono<String>> way) {
        open(ConnectionSettings.DEFAULTS);

        assertThat(way.apply(shard).contextWrite(DEADLINE).block(TIMEOUT)).isEqualTo(SET);
        assertThat(way.apply(shard).block(TIMEOUT)).isEqualTo("0");
        assertThat(way.apply(shard).contextWrite(DEADLINE).block(TIMEOUT)).isEqualTo(SET);
        assertThat(shown(shard)).isEqualTo("0");
    }

    static Stream<Arguments> waysToAConnection() {
        return Stream.of(
                way("queryOne", SessionLimitIntegrationTests::show),
                way("withConnection", on -> on.withConnection(SessionLimitIntegrationTests::show)),
                way("inTransaction", on -> on.inTransaction(SessionLimitIntegrationTests::show)),
                way("a call inside", on -> on.inTransaction(connection -> show(on))),
                way(
                        "connection",
                        on -> Mono.usingWhen(on.connection(), SessionLimitIntegrationTests::show, Connection::close)));
    }

    private static Arguments way(String name, Function<ShardOperations, Mono<String>> way) {
        return Arguments.argumentSet(name, way);
    }

    @Test
    void ofAScatterGatherIsItsOwnDeadlineToo() {
        open(ConnectionSettings.DEFAULTS);

        assertThat(cluster.allShards()
                        .deadline(Duration.ofSeconds(28))
                        .query(SHOW, row -> row.get(0, String.class))
                        .blockLast(TIMEOUT))
                .isEqualTo(SET);
    }

    @Test
    void isNeverLongerThanTheConfiguredOne() {
        open(ConnectionSettings.DEFAULTS.withStatementTimeout(Duration.ofSeconds(25)));

        assertThat(limited(DEADLINE)).isEqualTo("25s");
        assertThat(limited(Deadline.within(Duration.ofSeconds(20)))).isEqualTo("20480ms");
        assertThat(limited(DEADLINE)).isEqualTo("25s");
        assertThat(shown(shard)).isEqualTo("25s");
    }

    @Test
    void isNeverLongerThanThatOfTheDatabase() {
        SHARDS.node(0).execute("alter database " + SHARDS.node(0).database() + " set statement_timeout = '25s'");
        try {
            open(ConnectionSettings.DEFAULTS);

            assertThat(limited(DEADLINE)).isEqualTo("25s");
            assertThat(limited(Deadline.within(Duration.ofSeconds(20)))).isEqualTo("20480ms");
            assertThat(shown(shard)).isEqualTo("25s");
        } finally {
            SHARDS.node(0).execute("alter database " + SHARDS.node(0).database() + " reset statement_timeout");
        }
    }

    @ParameterizedTest
    @MethodSource("owners")
    void survivesNoOwnerWhoHasSetAnother(Function<Connection, Mono<Void>> owner) {
        open(ConnectionSettings.DEFAULTS);
        Mono<String> set =
                shard.withConnection(connection -> owner.apply(connection).then(show(connection)));

        assertThat(set.contextWrite(DEADLINE).block(TIMEOUT)).isEqualTo("7s");
        assertThat(limited(DEADLINE)).isEqualTo(SET);
        assertThat(set.block(TIMEOUT)).isEqualTo("7s");
        assertThat(shown(shard)).isEqualTo("0");
    }

    static Stream<Arguments> owners() {
        return Stream.of(
                owner(connection -> Query.of("set statement_timeout = '7s'")
                        .update(connection)
                        .then()),
                owner(connection -> Query.of("select set_config('statement_timeout', '7s', false)")
                        .update(connection)
                        .then()),
                owner(connection -> Mono.from(connection.setStatementTimeout(Duration.ofSeconds(7)))));
    }

    private static Arguments owner(Function<Connection, Mono<Void>> owner) {
        return Arguments.of(owner);
    }

    @Test
    void callsWithTheSameDeadlineSetItOnce() {
        open(ConnectionSettings.DEFAULTS);
        shown(shard);
        long before = changes();

        for (int i = 0; i < 200; i++) {
            // What a call did before with its time.
            Duration left = Duration.ofMillis(ThreadLocalRandom.current().nextInt(25_000, 28_000));
            assertThat(limited(Deadline.within(left))).isEqualTo(SET);
        }

        assertThat(changes() - before).isEqualTo(1);
    }

    /** With the margin of 50 ms a step is crossed: 24 576. */
    @Test
    void callsAroundAStepSetItOnceOrTwice() {
        open(ConnectionSettings.DEFAULTS);
        long before = changes();

        for (int i = 0; i < 100; i++) {
            shard.queryOne(SHOW, row -> 1)
                    .contextWrite(Deadline.within(Duration.ofMillis(24_490 + i % 80)))
                    .block(TIMEOUT);
        }

        assertThat(changes() - before).isBetween(1L, 2L);
    }

    @Test
    void callsWithoutDeadlinesSetNothing() {
        open(ConnectionSettings.DEFAULTS.withStatementTimeout(Duration.ofSeconds(7)));
        long before = changes();

        for (int i = 0; i < 50; i++) {
            assertThat(shown(shard)).isEqualTo("7s");
        }

        assertThat(changes() - before).isZero();
    }

    private void open(ConnectionSettings settings) {
        cluster = ShardCluster.builder()
                .shards(TestClusters.shardsOf(SHARDS))
                .connection(settings.withApplicationName("session-limit-tests"))
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .build();
        shard = cluster.shard(ShardId.of("s0"));
        shard.update(Query.of("select 1")).block(TIMEOUT);
    }

    private String limited(Function<Context, Context> deadline) {
        return show(shard).contextWrite(deadline).block(TIMEOUT);
    }

    private static String shown(ShardOperations shard) {
        return show(shard).block(TIMEOUT);
    }

    private static Mono<String> show(ShardOperations shard) {
        return shard.queryOne(SHOW, row -> row.get(0, String.class));
    }

    private static Mono<String> show(Connection connection) {
        return Flux.from(SHOW.fetch(connection, row -> row.get(0, String.class)))
                .single();
    }

    /** Returns how many statements about it the server has run for this class. */
    private static long changes() {
        return TestClusters.number(
                SHARDS.node(0),
                "select coalesce(sum(calls), 0) from pg_stat_statements"
                        + " where dbid = (select oid from pg_database where datname = current_database())"
                        + " and (query like 'set statement_timeout%' or query like 'reset statement_timeout%'"
                        + " or query like 'select reset_val%')");
    }
}
