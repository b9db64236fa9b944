package io.reactiverouter.test;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.Ports;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * A container that has been created, and what the Docker engine does to it. Each call ends within a limit, whether the engine
 * answers or not.
 */
final class DockerContainer {

    private static final Duration CALL_LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(20);
    private static final int LOG_CHARACTERS = 2000;
    private static final int OWNER_READS = 0600;
    private static final System.Logger LOG = System.getLogger(DockerContainer.class.getName());

    private final PostgreSQLContainer container;
    private final DockerClient docker;
    private final String id;

    DockerContainer(PostgreSQLContainer container) {
        this.container = container;
        this.docker = container.getDockerClient();
        this.id = container.getContainerId();
    }

    String id() {
        return id;
    }

    /** Says whether its processes run; true for one that is paused. */
    boolean running() throws IOException {
        return ask("say whether it runs", () -> {
            try {
                return Boolean.TRUE.equals(
                        docker.inspectContainerCmd(id).exec().getState().getRunning());
            } catch (NotFoundException e) {
                return false;
            }
        });
    }

    /** Returns the host at which the engine publishes ports. */
    String host() {
        return container.getHost();
    }

    /** Returns the port that the engine has published the server's as; another one after each start. */
    int port() throws IOException {
        return ask("say at which port it is published", () -> {
            Ports.Binding[] bindings = docker.inspectContainerCmd(id)
                    .exec()
                    .getNetworkSettings()
                    .getPorts()
                    .getBindings()
                    .get(ExposedPort.tcp(PostgreSQLContainer.POSTGRESQL_PORT));
            if (bindings == null || bindings.length == 0) {
                throw new IOException("none is published");
            }
            return Integer.parseInt(bindings[0].getHostPortSpec());
        });
    }

    void start() throws IOException {
        tell("start it", () -> docker.startContainerCmd(id).exec());
    }

    void pause() throws IOException {
        tell("pause it", () -> docker.pauseContainerCmd(id).exec());
    }

    void resume() throws IOException {
        tell("resume it", () -> docker.unpauseContainerCmd(id).exec());
    }

    /** Sends a signal to the first process. */
    void signal(String name) throws IOException {
        tell(
                "send SIG" + name,
                () -> docker.killContainerCmd(id).withSignal(name).exec());
    }

    /** Kills all processes. The first one comes last: its children would tell their clients of its death. */
    void kill() throws IOException {
        try {
            // Stopped first, it starts nothing new while they are being killed.
            signal("STOP");
            execute("sh", "-c", "kill -9 -1");
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "container " + id + " is killed all at once", e);
        }
        try {
            signal("KILL");
        } catch (IOException e) {
            // It may have ended by itself meanwhile.
            if (running()) {
                throw e;
            }
        }
        awaitEnd(CALL_LIMIT);
    }

    /** Returns when the container has ended. */
    void awaitEnd(Duration limit) throws IOException {
        long start = System.nanoTime();
        while (running()) {
            if (System.nanoTime() - start > limit.toNanos()) {
                throw new IOException(
                        "container " + id + " still runs after " + limit + "; the end of its log:\n" + log());
            }
            LockSupport.parkNanos(POLL_INTERVAL.toNanos());
        }
    }

    /** Runs a command in the container. */
    private void execute(String... command) throws IOException {
        ask("run " + command[0] + " in it", () -> {
            String run = docker.execCreateCmd(id).withCmd(command).exec().getId();
            try (ResultCallback.Adapter<Frame> output = new ResultCallback.Adapter<>()) {
                return docker.execStartCmd(run).exec(output).awaitCompletion(CALL_LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
        });
    }

    /** Writes a file in the container, whether it runs or not; only its superuser may read it. */
    void write(String path, String text) throws IOException {
        tell(
                "write " + path,
                () -> container.copyFileToContainer(
                        Transferable.of(text.getBytes(StandardCharsets.UTF_8), OWNER_READS), path));
    }

    /** Returns the end of all that its processes have written. */
    String log() {
        try {
            String log = ask("tell its log", container::getLogs);
            return log.substring(Math.max(0, log.length() - LOG_CHARACTERS));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    /** Ends the container, in whatever state it is, and removes it with its data. */
    void remove() throws IOException {
        tell("remove it", container::stop);
    }

    private void tell(String what, Runnable call) throws IOException {
        ask(what, () -> {
            call.run();
            return true;
        });
    }

    private <T> T ask(String what, Callable<T> call) throws IOException {
        return answer(what + " (container " + id + ")", call);
    }

    /** Asks the Docker engine for something; it has not answered if that takes too long. */
    static <T> T answer(String what, Callable<T> call) throws IOException {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "shard-container");
        thread.setDaemon(true);
        thread.start();
        String failure = "the Docker engine did not " + what;
        try {
            return task.get(CALL_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            throw new IOException(failure + ": " + (cause == null ? e : cause).getMessage(), e);
        } catch (TimeoutException e) {
            task.cancel(true);
            throw new IOException(failure + " within " + CALL_LIMIT, e);
        } catch (InterruptedException e) {
            task.cancel(true);
            Thread.currentThread().interrupt();
            throw new IOException(failure + ": interrupted while it was to", e);
        }
    }

    @Override
    public String toString() {
        return "DockerContainer[" + id + "]";
    }
}
