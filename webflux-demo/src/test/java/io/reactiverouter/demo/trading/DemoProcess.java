package io.reactiverouter.demo.trading;

import io.reactiverouter.demo.DemoApplication;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;

/** The application in a JVM of its own, whose memory is its own too. */
@NullUnmarked
final class DemoProcess implements AutoCloseable {

    private static final Pattern READY = Pattern.compile("open http://localhost:(\\d+)/");
    /** Of the heap, or of each generation; JDK 25 adds what is reserved. */
    private static final Pattern HEAP = Pattern.compile(" total +(?:reserved \\d+K, committed )?\\d+K, used (\\d+)K");

    private static final Path BIN = Path.of(System.getProperty("java.home"), "bin");

    private final Process process;
    private final CompletableFuture<Integer> port = new CompletableFuture<>();
    private final List<String> outOfMemory = new CopyOnWriteArrayList<>();
    private final List<String> leaks = new CopyOnWriteArrayList<>();

    /** Starts the application; its output goes to ours. */
    DemoProcess(List<String> jvmOptions, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(BIN.resolve("java").toString());
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), DemoApplication.class.getName()));
        command.addAll(arguments);
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Thread reader = new Thread(this::read, "demo-output");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println("demo: " + line);
                if (line.contains("OutOfMemoryError") || line.contains("OutOfDirectMemoryError")) {
                    outOfMemory.add(line);
                }
                if (line.contains("LEAK: ")) {
                    leaks.add(line);
                }
                Matcher ready = READY.matcher(line);
                if (ready.find()) {
                    port.complete(Integer.parseInt(ready.group(1)));
                }
            }
        } catch (IOException e) {
            System.out.println("demo: " + e);
        }
        port.completeExceptionally(new IllegalStateException("the application has ended"));
    }

    /** Waits until the application is ready and has its rows. */
    int port() throws Exception {
        return port.get(60, TimeUnit.SECONDS);
    }

    /** Returns the bytes that the heap holds after a collection. */
    long liveHeap() throws Exception {
        jcmd("GC.run");
        Matcher used = HEAP.matcher(jcmd("GC.heap_info"));
        long kilobytes = used.results()
                .mapToLong(generation -> Long.parseLong(generation.group(1)))
                .sum();
        if (kilobytes == 0) {
            throw new IllegalStateException("jcmd does not say what the heap holds");
        }
        return kilobytes << 10;
    }

    /** Returns what the whole process holds of the machine's memory, and has held at most, as Linux says it. */
    String resident() throws IOException {
        Path status = Path.of("/proc/" + process.pid() + "/status");
        return Files.exists(status)
                ? Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("VmRSS") || line.startsWith("VmHWM"))
                        .map(line -> line.replaceAll("\\s+", " "))
                        .toList()
                        .toString()
                : "unknown";
    }

    private String jcmd(String what) throws Exception {
        Process jcmd = new ProcessBuilder(BIN.resolve("jcmd").toString(), Long.toString(process.pid()), what)
                .redirectErrorStream(true)
                .start();
        String output = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        jcmd.waitFor(20, TimeUnit.SECONDS);
        return output;
    }

    /** Returns what the application has said about memory that it did not get; the JVM does not end for lack of buffers. */
    List<String> outOfMemory() {
        return outOfMemory;
    }

    /** Returns what Netty has said about buffers that were never released; it notices them after a collection. */
    List<String> leaks() {
        return leaks;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            process.onExit().get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            process.destroyForcibly();
        }
    }
}
