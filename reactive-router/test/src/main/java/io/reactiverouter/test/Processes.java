package io.reactiverouter.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Signals to a server's processes. A server is its postmaster and what that has started. */
final class Processes {

    private static final Duration COMMAND_LIMIT = Duration.ofSeconds(10);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(5);

    private Processes() {}

    /** A server's processes at this moment, its postmaster first. */
    static List<ProcessHandle> of(ProcessHandle postmaster) {
        return Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
    }

    /**
     * Stops all processes of a server, its postmaster first so that it starts no more.
     *
     * @param frozen told of processes before they are stopped
     */
    static void freeze(ProcessHandle postmaster, ProcessesToStop frozen) throws IOException {
        Map<Long, ProcessHandle> seen = new LinkedHashMap<>();
        List<ProcessHandle> next = List.of(postmaster);
        while (!next.isEmpty()) {
            frozen.about(next);
            signal("STOP", next);
            next.forEach(process -> seen.put(process.pid(), process));
            // A child that was being started when its parent was stopped is seen in the next round.
            next = of(postmaster).stream()
                    .filter(process -> !seen.containsKey(process.pid()) && running(process))
                    .toList();
        }
    }

    /** Is told of processes before they are stopped. */
    @FunctionalInterface
    interface ProcessesToStop {

        void about(List<ProcessHandle> processes) throws IOException;
    }

    /** Sends a signal to those processes that are still there. */
    static void signal(String name, Collection<ProcessHandle> processes) throws IOException {
        // The shell's own: not every system has a program of that name.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\"", name));
        processes.forEach(process -> command.add(String.valueOf(process.pid())));
        // Its exit code tells only whether all of them were there.
        run(command, COMMAND_LIMIT, ProcessBuilder.Redirect.DISCARD);
    }

    /**
     * Kills processes and returns when they are gone, or after the limit; says whether they are. The postmaster, which is the
     * first, comes last: its children would tell their clients of its death.
     */
    static boolean kill(List<ProcessHandle> processes, Duration limit) {
        for (int i = processes.size() - 1; i >= 0; i--) {
            processes.get(i).destroyForcibly();
        }
        return ended(processes, limit);
    }

    /** Waits until processes have ended; false if they have not in time. */
    static boolean ended(List<ProcessHandle> processes, Duration limit) {
        long start = System.nanoTime();
        while (processes.stream().anyMatch(Processes::running)) {
            if (System.nanoTime() - start > limit.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(POLL_INTERVAL.toNanos());
        }
        return true;
    }

    /** Servers are no children of the JVM. One that has ended is a zombie until process 1 sees to it, which may never be. */
    static boolean running(ProcessHandle process) {
        if (!process.isAlive()) {
            return false;
        }
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(process.pid()), "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            // Gone meanwhile, or a system without /proc.
            return process.isAlive();
        }
    }

    /**
     * Runs a command and returns its exit code.
     *
     * @throws IOException if it cannot be run or does not end in time; it has been killed then
     */
    static int run(List<String> command, Duration limit, ProcessBuilder.Redirect output) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        try {
            if (process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                return process.exitValue();
            }
            throw new IOException(command.get(0) + " did not end within " + limit.toSeconds() + " s: " + command);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while running " + command, e);
        } finally {
            process.destroyForcibly();
        }
    }
}
