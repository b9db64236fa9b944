package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The directory {@code compose}, and tools that may be installed. */
final class ComposeFiles {

    static final Path ROOT = Path.of("..", "compose");

    private ComposeFiles() {}

    static List<Path> ending(String... endings) {
        try (Stream<Path> files = Files.walk(ROOT)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(ROOT.resolve("secrets")))
                    .filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(String path) {
        try {
            return Files.readString(ROOT.resolve(path), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the documents of a YAML text; JSON is YAML too. A key that is there twice is an error. */
    static List<Object> documents(String yaml) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        List<Object> documents = new ArrayList<>();
        new Yaml(new SafeConstructor(options)).loadAll(yaml).forEach(documents::add);
        return documents;
    }

    /** Returns what is found at {@code path} from a map of maps. */
    static Object at(Object root, String... path) {
        Object here = root;
        for (String name : path) {
            if (!(here instanceof Map<?, ?> map) || map.get(name) == null) {
                throw new AssertionError("there is no " + String.join(".", path) + ": no " + name);
            }
            here = Objects.requireNonNull(map.get(name));
        }
        return here;
    }

    /** Returns all values of {@code key}, however deep. */
    static List<Object> all(Object root, String key) {
        List<Object> found = new ArrayList<>();
        if (root instanceof Map<?, ?> map) {
            map.forEach((name, value) -> {
                if (key.equals(name)) {
                    found.add(value);
                }
                found.addAll(all(value, key));
            });
        } else if (root instanceof List<?> list) {
            list.forEach(value -> found.addAll(all(value, key)));
        }
        return found;
    }

    /** Runs a command and returns what it prints; without its program the test is skipped. */
    static String run(Map<String, String> variables, String... command) throws IOException, InterruptedException {
        boolean installed = Stream.of(System.getenv().getOrDefault("PATH", "").split(":", -1))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, command[0])));
        Assumptions.assumeTrue(installed, command[0] + " is not installed");
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(ROOT.toFile()).redirectErrorStream(true);
        builder.environment().putAll(variables);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue())
                .as("%s: %s", String.join(" ", command), output)
                .isZero();
        return output;
    }
}
