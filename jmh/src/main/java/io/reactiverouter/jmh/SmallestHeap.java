package io.reactiverouter.jmh;

import io.reactiverouter.jmh.OrderReader.Answer;
import io.reactiverouter.test.EmbeddedShards;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * In how small a heap do Reactive Router and ShardingSphere-JDBC give the answers of {@link ShardingSphereBenchmark}? Each try
 * is a JVM of its own with the serial collector, which has to give the right answer within two minutes. Tried on two rows,
 * which shows what a library takes for itself, and on a million. Beside its heap each JVM may use 4 MB for buffers, as
 * Reactive Router's driver does.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.SmallestHeap
 * }</pre>
 */
public final class SmallestHeap {

    private static final int[] MEGABYTES = {8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96, 128, 256};
    private static final int[] ROWS = {2, 1_000_000};
    private static final int MINUTES = 2;

    private SmallestHeap() {}

    /** Something to ask. */
    enum Question {
        ORDERED_SCAN {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.scan();
            }
        },

        GROUP_BY {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.totals();
            }
        };

        abstract Answer ask(OrderReader reader) throws SQLException;

        Answer ask(Library library, List<String> urls) throws SQLException {
            try (OrderReader reader = library.open(urls)) {
                return ask(reader);
            }
        }
    }

    /** Without arguments, tries all; with some, is one of the tries. */
    public static void main(String... args) throws SQLException, IOException, InterruptedException {
        if (args.length == 0) {
            tryAll();
        } else {
            List<String> urls = List.of(args).subList(3, args.length);
            Answer answer = Question.valueOf(args[0]).ask(Library.valueOf(args[1]), urls);
            System.exit(answer.toString().equals(args[2]) ? 0 : 1);
        }
    }

    private static void tryAll() throws SQLException, IOException, InterruptedException {
        for (int rows : ROWS) {
            try (EmbeddedShards shards = OrderShards.start(rows)) {
                OrderShards.compare(shards, rows);
                for (Question question : Question.values()) {
                    for (Library library : Library.values()) {
                        System.out.printf(
                                "%,9d rows, %s, %s: %d MB%n",
                                rows, question, library, smallest(question, library, shards));
                    }
                }
            }
        }
    }

    private static int smallest(Question question, Library library, EmbeddedShards shards)
            throws SQLException, IOException, InterruptedException {
        List<String> urls = library.urls(shards);
        Answer answer = question.ask(library, urls);
        for (int megabytes : MEGABYTES) {
            if (suffices(megabytes, question, library, answer, urls)) {
                return megabytes;
            }
        }
        throw new IllegalStateException(library + " needs more than " + MEGABYTES[MEGABYTES.length - 1] + " MB");
    }

    private static boolean suffices(int megabytes, Question question, Library library, Answer answer, List<String> urls)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + megabytes + "m",
                "-XX:MaxDirectMemorySize=4m",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("java.class.path"),
                SmallestHeap.class.getName(),
                question.name(),
                library.name(),
                answer.toString()));
        command.addAll(urls);
        Process process = new ProcessBuilder(command)
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start();
        if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly().waitFor();
            return false;
        }
        return process.exitValue() == 0;
    }
}
