package io.reactiverouter.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;

/**
 * PostgreSQL servers in containers, for those with Docker: the same as {@link EmbeddedShards} behind the same interface,
 * settings, locale, replicas and faults included. Needs {@code org.testcontainers:testcontainers-postgresql} on the class
 * path, and an image that works as PostgreSQL's official one does.
 *
 * <p>Clients reach each server at a port of 127.0.0.1 that stays the same, through a relay in this JVM: Docker publishes a
 * container at another port after each start, and as it is configured to, by default on all addresses of the machine. A server
 * is the first process of its container, and all others in it belong to it. Servers of a shard with replicas find each other
 * in a Docker network of their own. A paused server that is killed may still do what it was about to do.
 *
 * <p>{@link #close()} removes the containers, their data and their network. So does Ryuk, Testcontainers' own helper, when the
 * JVM ends, unless it is switched off.
 */
public final class ContainerShards implements ShardServers {

    private final Networks networks = new Networks();
    private final org.testcontainers.containers.@Nullable Network dockerNetwork;
    private final ContainerStart start;
    private final Servers<ContainerServer> servers = new Servers<>();
    private boolean closed;

    private ContainerShards(Builder builder) {
        dockerNetwork = builder.replicas > 0 ? org.testcontainers.containers.Network.newNetwork() : null;
        start = new ContainerStart(builder.image, builder.spec, dockerNetwork, networks, builder.networks);
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

    private static ContainerShards start(Builder builder) {
        if (!dockerAvailable()) {
            throw new IllegalStateException(
                    "no Docker engine answers; start one, or use EmbeddedShards, which needs none");
        }
        ContainerShards shards = new ContainerShards(builder);
        try {
            shards.startServers(builder);
            return shards;
        } catch (RuntimeException e) {
            try {
                shards.close();
            } catch (RuntimeException onClose) {
                e.addSuppressed(onClose);
            }
            throw e;
        }
    }

    private synchronized void startServers(Builder builder) {
        servers.add(Parallel.map(
                IntStream.range(0, builder.count).boxed().toList(),
                i -> start.primary("s" + i),
                ContainerServer::close));
        Parallel.forEach(servers.nodes(), node -> Databases.createOwned(node, builder.spec.initSql()));
        servers.replicate(builder.replicas, start::replica);
    }

    @Override
    public synchronized List<ShardNode> nodes() {
        return servers.nodes();
    }

    @Override
    public synchronized List<ShardServer> servers(int shard) {
        return servers.ofShard(shard);
    }

    /** Returns the ids of the containers. */
    synchronized List<String> ids() {
        return servers.all().stream().map(ContainerServer::containerId).toList();
    }

    /** Returns the id of the servers' own Docker network; null if they have none. */
    @Nullable String networkId() {
        return dockerNetwork == null ? null : dockerNetwork.getId();
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            Parallel.forEach(servers.all(), ContainerServer::close);
        } finally {
            networks.close();
            removeNetwork();
        }
    }

    private void removeNetwork() {
        org.testcontainers.containers.Network made = dockerNetwork;
        if (made == null) {
            return;
        }
        try {
            DockerContainer.answer("remove the network of shards", () -> {
                made.close();
                return true;
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "ContainerShards" + nodes();
    }

    /** Describes containers before their start. Not thread-safe. */
    public static final class Builder {

        private final int count;
        private String image = "postgres:18";
        private ServerSpec spec = ServerSpec.DEFAULTS;
        private int replicas;
        private boolean networks;

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
         * Gives each shard so many streaming replicas; none unless set. They are copies made after the init SQL has run,
         * apply what their primary writes without its waiting for them, and answer reads.
         *
         * @throws IllegalArgumentException if the number is not 0 to 8
         */
        public Builder replicas(int perShard) {
            replicas = ServerSpec.requireReplicas(perShard);
            return this;
        }

        /** Offers the {@link Network} between clients and each server; not offered unless set. */
        public Builder networks() {
            networks = true;
            return this;
        }

        /**
         * Starts the containers, in parallel, and returns when all of them answer.
         *
         * @throws IllegalStateException if no Docker engine answers or a container does not start; the message shows the end
         *     of its log, and the others have been removed
         */
        public ContainerShards start() {
            return ContainerShards.start(this);
        }
    }
}
