package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.connections;
import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Pools that open connections to a server that does not answer every login. */
@NullUnmarked
class PoolGrowthIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String APP = "growth-tests";
    private static final Query ONE = Query.of("select 1");
    private static final PoolSettings POOL = PoolSettings.DEFAULTS.withMaxSize(10);

    @Test
    void loginsThatHangHoldUpOnlyThoseTheyAreFor() throws IOException {
        try (Door door = new Door(login -> login < 2 ? Answer.NONE : Answer.PASS)) {
            ShardCluster cluster = cluster(door, POOL);
            List<String> ends = calls(cluster, 64);
            assertThat(ends).filteredOn("done"::equals).hasSizeGreaterThanOrEqualTo(62);
            assertThat(ends)
                    .filteredOn(end -> !end.equals("done"))
                    .isSubsetOf("NodeUnreachableException", "AcquireTimeoutException");
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void nodeThatAnswersNoLoginIsUnreachableForAll() throws IOException {
        try (Door door = new Door(login -> Answer.NONE)) {
            ShardCluster cluster = cluster(door, POOL.withAcquireTimeout(Duration.ofSeconds(1)));
            assertThat(calls(cluster, 20)).hasSize(20).containsOnly("NodeUnreachableException");
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    @Tag("undisturbed")
    void fewLoginsAreBegunAtOnceAndMoreWhenTheyTakeLong() throws IOException {
        try (Door door = new Door(login -> Answer.NONE)) {
            ShardCluster cluster = cluster(door, POOL.withAcquireTimeout(Duration.ofSeconds(2)));
            calls(cluster, 20);
            assertThat(door.at(2) - door.at(1)).isGreaterThan(Logins.LONG.toNanos() / 2);
            assertThat(door.logins()).as("in two seconds, by twos, and a probe").isBetween(4, 12);
            cluster.close().block(TIMEOUT);
        }
    }

    @Test
    void warmupOpensWhatOneBeforeItCouldNot() throws IOException {
        try (Door door = new Door(login -> login == 1 || login == 2 ? Answer.CLOSE : Answer.PASS)) {
            ShardCluster cluster = cluster(door, POOL.withMinSize(3));
            // Which of two logins at once comes first is open: it may be that of the warm-up itself that fails.
            do {
                cluster.warmup().onErrorComplete().block(TIMEOUT);
            } while (door.logins() < 3);
            cluster.warmup().block(TIMEOUT);
            assertThat(connections(SHARDS.node(0), APP)).isGreaterThanOrEqualTo(3);
            cluster.close().block(TIMEOUT);
        }
    }

    /** Another login each time that somebody waits would only keep a server busy that has no place left. */
    @Test
    @Tag("undisturbed")
    void serverWithoutAPlaceIsAskedRarelyWhileTheOpenConnectionServes() throws IOException, SQLException {
        try (Door door = new Door(login -> Answer.PASS)) {
            ShardCluster cluster = cluster(door, POOL);
            calls(cluster, 1);
            placesForLogins(1);
            List<String> ends = calls(cluster, 20, Query.of("select pg_sleep(0.05)"));
            assertThat(ends).filteredOn("done"::equals).hasSizeGreaterThanOrEqualTo(8);
            assertThat(door.logins()).isLessThanOrEqualTo(17);
            placesForLogins(-1);
            assertThat(calls(cluster, 1)).containsExactly("done");
            cluster.close().block(TIMEOUT);
        } finally {
            placesForLogins(-1);
        }
    }

    private static void placesForLogins(int places) throws SQLException {
        try (java.sql.Connection superuser = SHARDS.node(0).openSuperuserJdbc();
                Statement statement = superuser.createStatement()) {
            statement.execute("alter role " + SHARDS.node(0).username() + " connection limit " + places);
        }
    }

    private static ShardCluster cluster(Door door, PoolSettings pool) {
        return ShardCluster.builder()
                .shards(List.of(Shard.named("s0").primary(door.r2dbcUrl(SHARDS.node(0)))))
                .connection(ConnectionSettings.DEFAULTS.withApplicationName(APP).withTls(TlsMode.DISABLE))
                .pool(pool)
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO))
                .build();
    }

    /** Returns how each of so many calls at once has ended. */
    private static List<String> calls(ShardCluster cluster, int count) {
        return calls(cluster, count, ONE);
    }

    private static List<String> calls(ShardCluster cluster, int count, Query query) {
        return Flux.range(0, count)
                .flatMap(
                        i -> cluster.shard(ShardId.of("s0"))
                                .update(query)
                                .map(done -> "done")
                                .onErrorResume(
                                        error -> Mono.just(error.getClass().getSimpleName())),
                        count)
                .collectList()
                .block(TIMEOUT);
    }

    private enum Answer {
        PASS,
        NONE,
        CLOSE
    }

    /** Stands before a server. */
    private static final class Door implements AutoCloseable {

        private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final Collection<Socket> sockets = new ConcurrentLinkedQueue<>();
        private final List<Long> times = new CopyOnWriteArrayList<>();

        private final IntFunction<Answer> answers;

        Door(IntFunction<Answer> answers) throws IOException {
            this.answers = answers;
            begin(this::accept);
        }

        String r2dbcUrl(ShardNode node) {
            return node.r2dbcUrl()
                    .replace(
                            "@" + node.host() + ":" + node.port() + "/",
                            "@" + listening.getInetAddress().getHostAddress() + ":" + listening.getLocalPort() + "/");
        }

        int logins() {
            return times.size();
        }

        long at(int login) {
            return times.get(login);
        }

        private void accept() throws IOException {
            while (true) {
                Socket client = listening.accept();
                sockets.add(client);
                Answer answer = answers.apply(times.size());
                times.add(System.nanoTime());
                if (answer == Answer.CLOSE) {
                    client.close();
                } else if (answer == Answer.PASS) {
                    Socket server =
                            new Socket(SHARDS.node(0).host(), SHARDS.node(0).port());
                    sockets.add(server);
                    begin(() -> copy(client.getInputStream(), server.getOutputStream()));
                    begin(() -> copy(server.getInputStream(), client.getOutputStream()));
                }
            }
        }

        private static void copy(InputStream from, OutputStream to) throws IOException {
            byte[] buffer = new byte[8_192];
            for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
                to.write(buffer, 0, read);
            }
        }

        private static void begin(Work work) {
            Thread thread = new Thread(
                    () -> {
                        try {
                            work.run();
                        } catch (IOException e) {
                            // One of the two ends has been closed, and the other hears of it when this is.
                        }
                    },
                    "door");
            thread.setDaemon(true);
            thread.start();
        }

        @FunctionalInterface
        private interface Work {

            void run() throws IOException;
        }

        @Override
        public void close() throws IOException {
            listening.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }
}
