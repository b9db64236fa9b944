package io.reactiverouter.test;

import io.reactiverouter.test.ShardNode.Login;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * PostgreSQL servers in containers, for those with Docker: the same as {@link EmbeddedShards} behind the same interface,
 * settings and locale included. Needs {@code org.testcontainers:testcontainers-postgresql} on the class path.
 * Testcontainers removes the containers when the JVM ends. Docker publishes the ports as it is configured to, by default
 * on all addresses of the machine.
 */
public final class ContainerShards implements Shards {

    private static final int LOG_CHARACTERS = 2000;

    private final List<PostgreSQLContainer> containers;
    private final List<ShardNode> nodes;

    private ContainerShards(List<PostgreSQLContainer> containers, List<ShardNode> nodes) {
        this.containers = containers;
        this.nodes = nodes;
    }

    /** Says whether a Docker engine answers. */
    public static boolean dockerAvailable() {
        return DockerClientFactory.instance().isDockerAvailable();
    }

    /**
     * Starts containers of {@code postgres:18} with default settings, database, user and password {@code app}.
     *
     * @throws IllegalArgumentException if the number is not 1 to 64
     * @throws IllegalStateException if no Docker engine answers or a container does not start
     */
    public static ContainerShards start(int count) {
        return builder(count).start();
    }

    /**
     * Starts to describe containers.
     *
     * @throws IllegalArgumentException if the number is not 1 to 64
     */
    public static Builder builder(int count) {
        return new Builder(ServerSpec.requireCount(count));
    }

    private static ContainerShards start(int count, String image, ServerSpec spec) {
        if (!dockerAvailable()) {
            throw new IllegalStateException(
                    "no Docker engine answers; start one, or use EmbeddedShards, which needs none");
        }
        Login superuser = new Login(ShardNode.SUPERUSER, UUID.randomUUID().toString());
        List<PostgreSQLContainer> containers = IntStream.range(0, count)
                .mapToObj(i -> container(image, spec, superuser))
                .toList();
        try {
            List<ShardNode> nodes = Parallel.map(
                    IntStream.range(0, count).boxed().toList(),
                    i -> startNode("s" + i, containers.get(i), spec, superuser),
                    node -> {});
            return new ContainerShards(containers, nodes);
        } catch (RuntimeException e) {
            try {
                stop(containers);
            } catch (RuntimeException onStop) {
                e.addSuppressed(onStop);
            }
            throw e;
        }
    }

    private static PostgreSQLContainer container(String image, ServerSpec spec, Login superuser) {
        return new PostgreSQLContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("postgres"))
                .withUsername(superuser.username())
                .withPassword(superuser.password())
                .withDatabaseName("postgres")
                .withEnv(
                        "POSTGRES_INITDB_ARGS",
                        "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8")
                .withCommand(command(spec.settings()));
    }

    private static String[] command(Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of("postgres"));
        settings.forEach((name, value) -> {
            command.add("-c");
            command.add(name + "=" + value);
        });
        return command.toArray(String[]::new);
    }

    private static ShardNode startNode(String name, PostgreSQLContainer container, ServerSpec spec, Login superuser) {
        try {
            container.start();
            ShardNode node = new ShardNode(
                    name,
                    container.getHost(),
                    container.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT),
                    spec.database(),
                    new Login(spec.username(), spec.password()),
                    superuser);
            Databases.createOwner(node);
            Databases.create(node, spec.initSql());
            return node;
        } catch (RuntimeException | SQLException e) {
            throw new IllegalStateException(
                    "container for shard " + name + " did not start: " + e.getMessage() + "; the end of its log:\n"
                            + tail(container),
                    e);
        }
    }

    private static String tail(PostgreSQLContainer container) {
        try {
            String log = container.getLogs();
            return log.substring(Math.max(0, log.length() - LOG_CHARACTERS));
        } catch (RuntimeException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    private static void stop(List<PostgreSQLContainer> containers) {
        Parallel.forEach(containers, PostgreSQLContainer::stop);
    }

    @Override
    public List<ShardNode> nodes() {
        return nodes;
    }

    @Override
    public void close() {
        stop(containers);
    }

    @Override
    public String toString() {
        return "ContainerShards" + nodes;
    }

    /** Describes containers before their start. Not thread-safe. */
    public static final class Builder {

        private final int count;
        private String image = "postgres:18";
        private ServerSpec spec = ServerSpec.DEFAULTS;

        private Builder(int count) {
            this.count = count;
        }

        /** Sets the image; {@code postgres:18} unless set. */
        public Builder image(String name) {
            image = name;
            return this;
        }

        /**
         * Sets a PostgreSQL setting; a setting that the server does not know fails the start.
         *
         * @throws IllegalArgumentException if it is one that the kit needs to reach the server, such as {@code port}
         */
        public Builder setting(String name, String value) {
            spec = spec.withSetting(name, value);
            return this;
        }

        /** Adds SQL to run in each new database as its owner; several statements are separated by semicolons. */
        public Builder initSql(String sql) {
            spec = spec.withInitSql(sql);
            return this;
        }

        /** Sets the name of the database; {@code app} unless set. */
        public Builder database(String name) {
            spec = spec.withDatabase(name);
            return this;
        }

        /** Sets the name of the database's owner; {@code app} unless set. */
        public Builder username(String name) {
            spec = spec.withUsername(name);
            return this;
        }

        /** Sets the owner's password; {@code app} unless set. */
        public Builder password(String text) {
            spec = spec.withPassword(text);
            return this;
        }

        /**
         * Starts the containers, in parallel.
         *
         * @throws IllegalStateException if no Docker engine answers or a container does not start; the message shows the end
         *     of its log, and the others have been stopped
         */
        public ContainerShards start() {
            return ContainerShards.start(count, image, spec);
        }
    }
}
