package io.reactiverouter.test;

import io.reactiverouter.test.ShardNode.Login;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Makes the containers of a set of shards from an image that works as PostgreSQL's official one does: its entrypoint makes the
 * data, with the scripts in {@code /docker-entrypoint-initdb.d}, where there are none in {@code PGDATA}, and then becomes the
 * server.
 *
 * @param dockerNetwork where servers find each other by their names; null if each has its shard for itself
 * @param networks between clients and the servers
 * @param networksOffered whether tests may use those
 */
record ContainerStart(
        String image,
        ServerSpec spec,
        org.testcontainers.containers.@Nullable Network dockerNetwork,
        Networks networks,
        boolean networksOffered) {

    static final int PORT = PostgreSQLContainer.POSTGRESQL_PORT;

    /** What the next start is to copy: where from, the slot, and the settings of the copy. */
    static final String COPY_FILE = "/reactive-router-copy";

    /** The same in all versions of the image, and no mount point, so that it can be replaced as a whole. */
    private static final String DATA = "/var/lib/postgresql/reactive-router";

    private static final String SETTINGS_FILE = "/docker-entrypoint-initdb.d/reactive-router.sh";
    private static final int ALL_READ = 0644;

    /** The old data go only when the copy is complete. What is left of a copy that was not is removed. */
    private static final String START = """
            set -e
            rm -rf "$PGDATA.copy"
            if [ -s %1$s ]; then
                primary=$(sed -n 1p %1$s)
                slot=$(sed -n 2p %1$s)
                settings=$(sed 1,2d %1$s)
                rm %1$s
                pg_basebackup --dbname="$primary" --slot="$slot" --pgdata="$PGDATA.copy" --wal-method=stream \
                    --checkpoint=fast --no-password --no-sync
                printf '%%s\\n' "$settings" >> "$PGDATA.copy/postgresql.auto.conf"
                touch "$PGDATA.copy/standby.signal"
                rm -rf "$PGDATA"
                mv "$PGDATA.copy" "$PGDATA"
            fi
            exec docker-entrypoint.sh postgres
            """.formatted(COPY_FILE);

    /** In the files of the data directory, where {@code alter system} wins over them and copies bring them along. */
    private static final String SETTINGS = """
            cat >> "$PGDATA/postgresql.conf" <<'END OF SETTINGS'

            listen_addresses = '*'
            %sEND OF SETTINGS
            echo 'host replication all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
            """;

    /** Returns what {@link #COPY_FILE} says for the standby {@code name} of a server. */
    static String copyOf(ShardNode primary, String name) {
        return Standby.connectionString(primary, name) + "\n" + Standby.slot(name) + "\n"
                + Standby.settings(primary, name);
    }

    /** Starts a server with the owner of databases. */
    ContainerServer primary(String name) {
        Login superuser = new Login(ShardNode.SUPERUSER, UUID.randomUUID().toString());
        PostgreSQLContainer container = container(name, superuser)
                .withEnv(
                        "POSTGRES_INITDB_ARGS",
                        // The password is asked for inside the container, too; and the data need no safety yet.
                        "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
                                + " --auth-host=scram-sha-256 --no-sync")
                .withCopyToContainer(
                        Transferable.of(
                                SETTINGS.formatted(spec.configuration()).getBytes(StandardCharsets.UTF_8), ALL_READ),
                        SETTINGS_FILE);
        ShardNode node = new ShardNode(
                name, name, PORT, spec.database(), new Login(spec.username(), spec.password()), superuser);
        ContainerServer server = start(container, node, ContainerServer.START_LIMIT);
        try {
            Databases.createOwner(server.direct());
            return server;
        } catch (SQLException | RuntimeException e) {
            IllegalStateException failure =
                    new IllegalStateException("the owner of databases of shard " + name + " could not be made", e);
            closing(failure, server::close);
            throw failure;
        }
    }

    /** Makes and starts a standby of a server. */
    ContainerServer replica(ContainerServer primary, String name) {
        ShardNode node = primary.direct().withServer(name, PORT);
        try {
            Standby.keepLog(primary.direct(), name);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "replica " + name + " of " + primary + " could not be prepared: " + e.getMessage(), e);
        }
        PostgreSQLContainer container = container(name, primary.direct().superuser())
                .withCopyToContainer(
                        Transferable.of(copyOf(primary.inside(), name).getBytes(StandardCharsets.UTF_8)), COPY_FILE);
        return start(container, node, ContainerServer.COPY_LIMIT);
    }

    private PostgreSQLContainer container(String name, Login superuser) {
        PostgreSQLContainer container = new PostgreSQLContainer(
                        DockerImageName.parse(image).asCompatibleSubstituteFor("postgres"))
                .withUsername(superuser.username())
                .withPassword(superuser.password())
                .withDatabaseName("postgres")
                .withEnv("PGDATA", DATA)
                .withCommand("sh", "-c", START)
                .waitingFor(new NoWait());
        return dockerNetwork == null
                ? container
                : container.withNetwork(dockerNetwork).withNetworkAliases(name);
    }

    private ContainerServer start(PostgreSQLContainer described, ShardNode node, Duration limit) {
        try {
            DockerContainer container = created(described);
            ShardNode direct = ContainerServer.awaitAnswer(container, node, limit);
            return new ContainerServer(direct, container, networks.before(direct), networksOffered);
        } catch (IOException | RuntimeException e) {
            IllegalStateException failure =
                    new IllegalStateException("container for " + node.name() + " did not start: " + e.getMessage(), e);
            if (described.isCreated()) {
                closing(failure, new DockerContainer(described)::remove);
            }
            throw failure;
        }
    }

    private static DockerContainer created(PostgreSQLContainer described) throws IOException {
        try {
            described.start();
            return new DockerContainer(described);
        } catch (RuntimeException e) {
            if (described.isCreated()) {
                throw new IOException(
                        e.getMessage() + "; the end of its log:\n" + new DockerContainer(described).log(), e);
            }
            throw e;
        }
    }

    private interface Close {

        void run() throws IOException;
    }

    private static void closing(RuntimeException failure, Close close) {
        try {
            close.run();
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Whoever starts a container waits until it answers. */
    private static final class NoWait extends AbstractWaitStrategy {

        @Override
        protected void waitUntilReady() {}
    }
}
