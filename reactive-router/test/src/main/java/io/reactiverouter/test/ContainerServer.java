package io.reactiverouter.test;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A PostgreSQL server in a container, whose first process it is. Docker publishes it at another port after each start; clients
 * reach it through a network whose port stays.
 */
final class ContainerServer extends ManagedServer {

    static final Duration START_LIMIT = Duration.ofSeconds(60);

    /** For a start that makes a copy of another server first. */
    static final Duration COPY_LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL_INTERVAL = Duration.ofMillis(50);

    private final DockerContainer container;
    private boolean copies;

    /**
     * Takes over a server that answers.
     *
     * @param direct how the server itself is reached
     * @param network between clients and the server
     * @param networkOffered whether tests may use it
     */
    ContainerServer(ShardNode direct, DockerContainer container, Network network, boolean networkOffered) {
        super(direct, network, networkOffered);
        this.container = container;
    }

    /** Returns the server as other containers reach it: by its name, whatever its address is. */
    ShardNode inside() {
        return direct().withAddress(direct().name(), ContainerStart.PORT);
    }

    String containerId() {
        return container.id();
    }

    @Override
    boolean alive() {
        try {
            return container.running();
        } catch (IOException e) {
            throw new IllegalStateException("server " + direct().name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    void crash() throws IOException {
        container.kill();
    }

    @Override
    void shutDown() throws IOException {
        // Whatever signal its image has for a stop: this one is PostgreSQL's "fast".
        container.signal("INT");
        container.awaitEnd(START_LIMIT);
    }

    /** Docker has given its port away; that of its network is held by the network. */
    @Override
    void wentDown() {}

    @Override
    ShardNode launch() throws IOException {
        Duration limit = copies ? COPY_LIMIT : START_LIMIT;
        try {
            container.start();
        } catch (IOException e) {
            forgetCopy(e);
            throw e;
        } finally {
            copies = false;
        }
        return awaitAnswer(container, direct(), limit);
    }

    /** A later start is one with the data that there are. */
    private void forgetCopy(IOException failure) {
        if (copies) {
            try {
                container.write(ContainerStart.COPY_FILE, "");
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /** Returns how the server in a container is reached when it answers. */
    static ShardNode awaitAnswer(DockerContainer container, ShardNode server, Duration limit) throws IOException {
        long start = System.nanoTime();
        while (true) {
            if (!container.running()) {
                throw new IOException("its container has ended; the end of its log:\n" + container.log());
            }
            try {
                ShardNode reached = server.withAddress(container.host(), container.port());
                try (Connection connection = reached.withDatabase("postgres").openMaintenance()) {
                    connection.getMetaData();
                    return reached;
                }
            } catch (IOException | SQLException e) {
                if (System.nanoTime() - start > limit.toNanos()) {
                    throw new IOException(
                            "it does not answer after " + limit + ": " + e.getMessage() + "; the end of its log:\n"
                                    + container.log(),
                            e);
                }
            }
            LockSupport.parkNanos(POLL_INTERVAL.toNanos());
        }
    }

    @Override
    void freeze() throws IOException {
        container.pause();
    }

    @Override
    void thaw() throws IOException {
        container.resume();
    }

    /** The copy is made when the container starts: nothing can be run in it before. */
    @Override
    void becomeCopyOf(ManagedServer primary) throws IOException, SQLException {
        ContainerServer other = (ContainerServer) primary;
        Standby.keepLog(other.direct(), direct().name());
        container.write(ContainerStart.COPY_FILE, ContainerStart.copyOf(other.inside(), direct().name()));
        copies = true;
    }

    @Override
    void remove() throws IOException {
        container.remove();
    }
}
