package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.testkit.engine.EventConditions.event;
import static org.junit.platform.testkit.engine.EventConditions.finishedWithFailure;
import static org.junit.platform.testkit.engine.TestExecutionResultConditions.message;

import java.net.ConnectException;
import java.net.Socket;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/** Runs test classes of its own, each time as the tests of a new JVM would. */
class ShardsExtensionIntegrationTests {

    private static final Set<ShardNode> SEEN = ConcurrentHashMap.newKeySet();
    private static volatile CyclicBarrier together = new CyclicBarrier(1);
    private static volatile long holdMillis;

    @BeforeEach
    void reset() {
        SEEN.clear();
        together = new CyclicBarrier(1);
        holdMillis = 0;
    }

    @Test
    void nestedClassesShareTheDatabasesOfTheOuterOne() {
        run(false, Outer.class).assertStatistics(tests -> tests.succeeded(3).failed(0));
        assertThat(databases()).hasSize(1);
    }

    @Test
    void classesAtTheSameTimeShareServersButNoRows() {
        together = new CyclicBarrier(2);
        run(true, First.class, Second.class)
                .assertStatistics(tests -> tests.succeeded(2).failed(0));
        assertThat(databases()).hasSize(2);
        assertThat(SEEN)
                .extracting(ShardNode::port)
                .containsOnly(SEEN.iterator().next().port());
    }

    @Test
    void subclassesOneAfterTheOtherHaveCleanDatabases() {
        run(false, FirstChild.class, SecondChild.class)
                .assertStatistics(tests -> tests.succeeded(2).failed(0));
        assertThat(databases()).hasSize(2);
    }

    @Test
    void classesAtTheSameTimeWithOneExtensionAreRefused() {
        holdMillis = 2000;
        execute(true, FirstChild.class, SecondChild.class)
                .containerEvents()
                .assertThatEvents()
                .haveExactly(
                        1, event(finishedWithFailure(message(text -> text.contains("a static field of its own")))));
    }

    @Test
    void fieldThatIsNotStaticIsExplained() {
        run(false, NotStatic.class)
                .assertThatEvents()
                .haveExactly(1, event(finishedWithFailure(message(text -> text.contains("field static?")))));
    }

    @Test
    void serversStopWhenTheTestsHaveEnded() {
        run(false, First.class);
        assertThat(SEEN).hasSize(1);
        for (ShardNode node : SEEN) {
            assertThatExceptionOfType(ConnectException.class)
                    .isThrownBy(() -> new Socket(node.host(), node.port()).close());
        }
    }

    /** As Maven runs classes that it spreads over several JVMs. */
    @Test
    void testPlansOfOneSessionShareServersUntilItsEnd() {
        try (LauncherSession session = LauncherFactory.openSession()) {
            for (Class<?> type : List.of(First.class, Second.class)) {
                session.getLauncher()
                        .execute(LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(type))
                                .build());
            }
            assertThat(databases()).hasSize(2);
            assertThat(SEEN)
                    .extracting(ShardNode::port)
                    .containsOnly(SEEN.iterator().next().port());
        }
        assertThatExceptionOfType(ConnectException.class).isThrownBy(() -> {
            ShardNode node = SEEN.iterator().next();
            new Socket(node.host(), node.port()).close();
        });
    }

    @Test
    void databasesAreDroppedAfterTheClassThoughConnectionsAreOpen() {
        run(false, LeavesConnection.class, CountsDatabases.class)
                .assertStatistics(tests -> tests.succeeded(2).failed(0));
    }

    private static Events run(boolean parallel, Class<?>... classes) {
        return execute(parallel, classes).testEvents();
    }

    private static EngineExecutionResults execute(boolean parallel, Class<?>... classes) {
        return EngineTestKit.engine("junit-jupiter")
                .selectors(
                        List.of(classes).stream().map(type -> selectClass(type)).toArray(DiscoverySelector[]::new))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", String.valueOf(parallel))
                .configurationParameter("junit.jupiter.execution.parallel.mode.classes.default", "concurrent")
                .execute();
    }

    private static List<String> databases() {
        return SEEN.stream().map(ShardNode::database).distinct().toList();
    }

    private static long insertAndCount(Shards shards) {
        SEEN.addAll(shards.nodes());
        try (Connection connection = shards.node(0).openJdbc();
                Statement statement = connection.createStatement()) {
            statement.execute("insert into t values (1)");
            together.await(20, TimeUnit.SECONDS);
            Thread.sleep(holdMillis);
            try (ResultSet result = statement.executeQuery("select count(*) from t")) {
                result.next();
                return result.getLong(1);
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static ShardsExtension table() {
        return ShardsExtension.embedded(1).initSql("create table t (id int)");
    }

    static class Outer {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        void outer(Shards shards) {
            assertThat(shards.node(0)).isEqualTo(SHARDS.node(0));
            insertAndCount(shards);
        }

        @Nested
        class Inner {

            @Test
            void inner() {
                insertAndCount(SHARDS);
            }

            @Nested
            class Innermost {

                @Test
                void innermost() {
                    assertThat(insertAndCount(SHARDS)).isEqualTo(3);
                }
            }
        }
    }

    static class First {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        void seesItsOwnRow() {
            assertThat(insertAndCount(SHARDS)).isEqualTo(1);
        }
    }

    static class Second {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        void seesItsOwnRow() {
            assertThat(insertAndCount(SHARDS)).isEqualTo(1);
        }
    }

    static class Parent {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        void seesItsOwnRow() {
            assertThat(insertAndCount(SHARDS)).isEqualTo(1);
        }
    }

    static class FirstChild extends Parent {}

    static class SecondChild extends Parent {}

    static class NotStatic {

        @RegisterExtension
        final ShardsExtension shards = table();

        @Test
        void asksForNodes() {
            shards.nodes();
        }
    }

    static class LeavesConnection {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        @SuppressWarnings({"resource", "MustBeClosed"})
        void leavesConnection() throws SQLException {
            SHARDS.node(0).openJdbc();
        }
    }

    static class CountsDatabases {

        @RegisterExtension
        static final ShardsExtension SHARDS = table();

        @Test
        void onlyItsOwnIsThere() throws SQLException {
            try (Connection connection = SHARDS.node(0).openJdbc();
                    Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery(
                            "select string_agg(datname, ',') from pg_database where datname like 'test%'")) {
                result.next();
                assertThat(result.getString(1)).isEqualTo(SHARDS.node(0).database());
            }
        }
    }
}
