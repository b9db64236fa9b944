package io.reactiverouter.test;

import io.reactiverouter.test.ShardNode.Login;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * PostgreSQL servers in containers, for those with Docker: the same as {@link EmbeddedShards} behind the same interface.
 * Needs {@code org.testcontainers:testcontainers-postgresql} on the class path. Testcontainers removes the containers when
 * the JVM ends.
 */
public final class ContainerShards implements Shards {

    private static final int PORT = 5432;

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

    /** Starts containers of {@code postgres:18} with default settings, database, user and password {@code app}. */
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
        String secret = UUID.randomUUID().toString();
        List<PostgreSQLContainer> containers = IntStream.range(0, count)
                .mapToObj(i -> new PostgreSQLContainer(DockerImageName.parse(image))
                        .withUsername(ShardNode.SUPERUSER)
                        .withPassword(secret)
                        .withCommand(command(spec.settings())))
                .toList();
        List<ShardNode> nodes = new ArrayList<>();
        ContainerShards shards = new ContainerShards(containers, nodes);
        try {
            EmbeddedShards.inParallel(containers, container -> {
                container.start();
                return container;
            });
            for (int i = 0; i < count; i++) {
                PostgreSQLContainer container = containers.get(i);
                nodes.add(new ShardNode(
                        "s" + i,
                        container.getHost(),
                        container.getMappedPort(PORT),
                        spec.database(),
                        new Login(spec.username(), spec.password()),
                        new Login(ShardNode.SUPERUSER, secret)));
            }
            for (ShardNode node : nodes) {
                Databases.createOwner(node);
                Databases.create(node, spec.initSql());
            }
            return shards;
        } catch (Exception e) {
            shards.close();
            throw new IllegalStateException("containers of " + image + " did not start: " + e.getMessage(), e);
        }
    }

    private static String[] command(Map<String, String> settings) {
        List<String> command = new ArrayList<>(List.of("postgres"));
        settings.forEach((name, value) -> {
            command.add("-c");
            command.add(name + "=" + value);
        });
        return command.toArray(String[]::new);
    }

    @Override
    public List<ShardNode> nodes() {
        return List.copyOf(nodes);
    }

    @Override
    public void close() {
        EmbeddedShards.inParallel(containers, container -> {
            container.stop();
            return container;
        });
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

        /** Sets a PostgreSQL setting. */
        public Builder setting(String name, String value) {
            spec = spec.withSetting(name, value);
            return this;
        }

        /** Adds SQL to run in each new database as its owner. */
        public Builder initSql(String sql) {
            spec = spec.withInitSql(sql);
            return this;
        }

        /** Sets the name of the database; {@code app} unless set. */
        public Builder database(String name) {
            spec = spec.withDatabase(name);
            return this;
        }

        /** Sets the database's owner; {@code app} with the password {@code app} unless set. */
        public Builder credentials(String username, String password) {
            spec = spec.withCredentials(username, password);
            return this;
        }

        /**
         * Starts the containers, in parallel.
         *
         * @throws IllegalStateException if one does not start; the others have been stopped
         */
        public ContainerShards start() {
            return ContainerShards.start(count, image, spec);
        }
    }
}
