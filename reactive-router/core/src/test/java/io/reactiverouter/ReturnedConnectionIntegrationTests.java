package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Wrapped;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A pool of one connection, so that the next call has the one that came back. */
@NullUnmarked
class ReturnedConnectionIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "returned-connection-tests";

    private ShardCluster cluster;
    private ShardOperations shard;

    /** How a caller gets at a connection. */
    private enum Way {
        QUERY {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return shard.query(Query.of(sql), row -> 1).then();
            }
        },
        UPDATE {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return shard.update(Query.of(sql)).then();
            }
        },
        WORK {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return shard.withConnection(connection -> execute(connection, sql));
            }
        },
        BATCH {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return shard.withConnection(connection -> Flux.from(connection
                                .createBatch()
                                .add("select 1")
                                .add(sql)
                                .execute())
                        .concatMap(Result::getRowsUpdated)
                        .then());
            }
        },
        TRANSACTION {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return shard.inTransaction(connection -> execute(connection, sql));
            }
        },
        BORROWED {
            @Override
            Mono<Void> run(ShardOperations shard, String sql) {
                return Mono.usingWhen(shard.connection(), connection -> execute(connection, sql), Connection::close);
            }
        };

        abstract Mono<Void> run(ShardOperations shard, String sql);
    }

    @BeforeAll
    static void schema() {
        TestClusters.sql(
                SHARDS,
                "create schema other; create table t (id int); insert into t values (1);"
                        + " create table other.t (id int); create sequence numbers");
        try (var connection = SHARDS.node(0).openSuperuserJdbc();
                var statement = connection.createStatement()) {
            statement.execute("drop role if exists lesser");
            statement.execute("create role lesser");
            statement.execute("grant lesser to " + SHARDS.node(0).username());
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    void open() {
        cluster = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .build();
        shard = cluster.shard(ShardId.of("s0"));
    }

    @AfterEach
    void close() {
        cluster.close().block(TIMEOUT);
    }

    static Stream<Arguments> statesAndWays() {
        // What an owner does, and a question whose answer must be the same before and after.
        List<String[]> states = List.of(
                new String[] {"set search_path = other", "select count(*)::text from t"},
                new String[] {"select set_config('search_path', 'other', false)", "select count(*)::text from t"},
                new String[] {"set role lesser", "select current_user::text"},
                new String[] {"create temp table t (id int)", "select count(*)::text from t"},
                new String[] {"select 2 as id into temp t", "select count(*)::text || sum(id) from t"},
                new String[] {
                    "select pg_advisory_lock(42)", "select count(*)::text from pg_locks where locktype = 'advisory'"
                },
                new String[] {"listen news", "select count(*)::text from pg_listening_channels()"},
                new String[] {
                    "begin; declare c cursor with hold for select 1; commit",
                    "select count(*)::text from pg_cursors where is_holdable"
                },
                new String[] {"set time zone 'Asia/Tokyo'", "show timezone"},
                new String[] {"set statement_timeout = '1s'", "show statement_timeout"},
                new String[] {"set application_name = 'somebody else'", "show application_name"},
                new String[] {"set session characteristics as transaction read only", "show transaction_read_only"},
                new String[] {
                    "do $$ begin perform set_config('tenant.id', '7', false); end $$",
                    "select coalesce(nullif(current_setting('tenant.id', true), ''), 'none')"
                });
        return states.stream()
                .flatMap(state -> Stream.of(Way.values())
                        // Several statements in one text have no cursor, and must not end the transaction of others.
                        .filter(way -> !state[0].startsWith("begin;") || (way != Way.TRANSACTION && way != Way.QUERY))
                        .map(way -> Arguments.of(way, state[0], state[1])));
    }

    @ParameterizedTest
    @MethodSource("statesAndWays")
    void nextOwnerSeesNothingOfIt(Way way, String sql, String question) {
        String before = text(question);
        String pid = text("select pg_backend_pid()::text");

        way.run(shard, sql).block(TIMEOUT);

        assertThat(text("select pg_backend_pid()::text"))
                .as("the same connection")
                .isEqualTo(pid);
        assertThat(text(question)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"error", "cancel"})
    void norAfterAnErrorOrACancel(String end) {
        String pid = text("select pg_backend_pid()::text");
        Mono<Void> work = shard.withConnection(connection -> execute(connection, "set search_path = other")
                .then(execute(connection, end.equals("error") ? "select 1 / 0" : "select pg_sleep(10)")));
        if (end.equals("error")) {
            work.onErrorComplete().block(TIMEOUT);
        } else {
            var running = work.subscribe();
            await("it is under way", TIMEOUT, () -> TestClusters.busy(SHARDS.node(0), APP) == 1);
            running.dispose();
            await("it is back", TIMEOUT, () -> TestClusters.acquired(cluster) == 0);
        }
        assertThat(text("select count(*)::text from t")).isEqualTo("1");
        assertThat(text("select pg_backend_pid()::text")).isEqualTo(pid);
    }

    @ParameterizedTest
    @ValueSource(strings = {"prepare mine as select 1", "deallocate all", "discard all"})
    void connectionWhosePreparedStatementsAreTouchedIsClosed(String sql) {
        String pid = text("select pg_backend_pid()::text");
        shard.withConnection(connection -> execute(connection, sql)).block(TIMEOUT);
        assertThat(text("select pg_backend_pid()::text")).isNotEqualTo(pid);
        assertThat(text("select count(*)::text from pg_prepared_statements where from_sql"))
                .isEqualTo("0");
    }

    @Test
    void settingsMadeThroughTheConnectionAreUndone() {
        String pid = text("select pg_backend_pid()::text");
        shard.withConnection(connection -> Mono.from(connection.setStatementTimeout(Duration.ofSeconds(7)))
                        .then(Mono.from(connection.setLockWaitTimeout(Duration.ofSeconds(8))))
                        .then(Mono.from(connection.setTransactionIsolationLevel(IsolationLevel.SERIALIZABLE))))
                .block(TIMEOUT);
        assertThat(text("show statement_timeout")).isEqualTo("0");
        assertThat(text("show lock_timeout")).isEqualTo("0");
        assertThat(text("show default_transaction_isolation")).isEqualTo("read committed");
        assertThat(shard.withConnection(connection -> Mono.just(connection.getTransactionIsolationLevel()))
                        .block(TIMEOUT))
                .isEqualTo(IsolationLevel.READ_COMMITTED);
        assertThat(text("select pg_backend_pid()::text")).isEqualTo(pid);
    }

    @Test
    void isolationLevelOfATransactionIsNotTakenForThatOfTheSession() {
        shard.inTransaction(
                        io.reactiverouter.TransactionOptions.DEFAULTS.withIsolation(IsolationLevel.SERIALIZABLE),
                        connection ->
                                Mono.from(connection.setTransactionIsolationLevel(IsolationLevel.REPEATABLE_READ)))
                .block(TIMEOUT);
        assertThat(text("show default_transaction_isolation")).isEqualTo("read committed");
    }

    @Test
    void whatTheDriverItselfHasDoneIsUndoneToo() {
        shard.withConnection(connection -> {
                    PostgresqlConnection driver = ((Wrapped<?>) connection).unwrap(PostgresqlConnection.class);
                    return driver.createStatement("listen news").execute().then();
                })
                .block(TIMEOUT);
        assertThat(text("select count(*)::text from pg_listening_channels()")).isEqualTo("0");
    }

    @Test
    void settingsOfTheConnectionStay() {
        ShardCluster limited = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .connection(io.reactiverouter.connection.ConnectionSettings.DEFAULTS
                        .withApplicationName(APP)
                        .withStatementTimeout(Duration.ofSeconds(33)))
                .build();
        try {
            ShardOperations own = limited.shard(ShardId.of("s0"));
            own.update(Query.of("set statement_timeout = 1")).block(TIMEOUT);
            assertThat(own.queryOne(Query.of("show statement_timeout"), row -> row.get(0, String.class))
                            .block(TIMEOUT))
                    .isEqualTo("33s");
            assertThat(own.queryOne(Query.of("show application_name"), row -> row.get(0, String.class))
                            .block(TIMEOUT))
                    .isEqualTo(APP);
        } finally {
            limited.close().block(TIMEOUT);
        }
    }

    /** What a server shows of an idle session is the last statement that came from it. */
    @Test
    void otherCallsPayNothingForIt() {
        shard.query(Query.of("select id from t where id = $1", 1), row -> 1).blockLast(TIMEOUT);
        assertThat(last()).isEqualTo("select id from t where id = $1");
        shard.update(Query.of("update t set id = id where id = $1", 1)).block(TIMEOUT);
        assertThat(last()).isEqualTo("update t set id = id where id = $1");
        shard.inTransaction(connection -> execute(connection, "update t set id = 1"))
                .block(TIMEOUT);
        assertThat(last()).isEqualToIgnoringCase("commit");
        shard.update(Query.of("set search_path = other")).block(TIMEOUT);
        assertThat(last()).startsWith("set session authorization default");
    }

    private static String last() {
        try (var connection = SHARDS.node(0).openJdbc();
                var statement = connection.createStatement();
                var result = statement.executeQuery(
                        "select query from pg_stat_activity where application_name = '" + APP + "'")) {
            result.next();
            return result.getString(1);
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Mono<Void> execute(Connection connection, String sql) {
        return Flux.from((Publisher<? extends Result>)
                        connection.createStatement(sql).execute())
                .concatMap(Result::getRowsUpdated)
                .then();
    }

    private String text(String sql) {
        return shard.queryOne(Query.of(sql), row -> row.get(0, String.class)).block(TIMEOUT);
    }
}
