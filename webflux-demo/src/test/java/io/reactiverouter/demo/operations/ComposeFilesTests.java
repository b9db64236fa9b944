package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComposeFilesTests {

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+):-([^}]*)}");

    @Test
    void everyFileCanBeRead() throws Exception {
        List<Path> files = ComposeFiles.ending(".yaml", ".yml", ".json");
        assertThat(files).hasSizeGreaterThan(20);
        for (Path file : files) {
            assertThat(ComposeFiles.documents(Files.readString(file)))
                    .as("documents of %s", file)
                    .isNotEmpty()
                    .doesNotContainNull();
        }
    }

    @Test
    void everyVariableHasItsDefaultInTheExample() {
        Map<String, String> variables = new TreeMap<>();
        Matcher matcher = VARIABLE.matcher(ComposeFiles.text("compose.yaml"));
        while (matcher.find()) {
            String other = variables.put(matcher.group(1), matcher.group(2));
            assertThat(other == null || other.equals(matcher.group(2)))
                    .as("one default of %s", matcher.group(1))
                    .isTrue();
        }
        Map<String, String> example = variables(ComposeFiles.text(".env.example"));
        assertThat(example).containsEntry("COMPOSE_PROJECT_NAME", "reactive-router");
        example.remove("COMPOSE_PROJECT_NAME");
        assertThat(example).containsExactlyInAnyOrderEntriesOf(variables);
    }

    @Test
    void everyFileThatIsMountedIsThere() {
        Object compose =
                ComposeFiles.documents(ComposeFiles.text("compose.yaml")).get(0);
        List<String> sources = ComposeFiles.all(ComposeFiles.at(compose, "services"), "volumes").stream()
                .flatMap(volumes -> ((List<?>) volumes).stream())
                .map(volume -> String.valueOf(volume).split(":", -1)[0])
                .filter(source -> source.startsWith("."))
                .toList();
        assertThat(sources)
                .isNotEmpty()
                .allSatisfy(
                        source -> assertThat(ComposeFiles.ROOT.resolve(source)).exists());
        Object demo = ComposeFiles.at(compose, "services", "demo", "build");
        Path context = ComposeFiles.ROOT.resolve((String) ComposeFiles.at(demo, "context"));
        assertThat(context.resolve((String) ComposeFiles.at(demo, "dockerfile")))
                .exists();
    }

    @Test
    void everySecretIsMadeByTheScript() {
        Object compose =
                ComposeFiles.documents(ComposeFiles.text("compose.yaml")).get(0);
        assertThat((Map<?, ?>) ComposeFiles.at(compose, "secrets")).allSatisfy((name, value) -> {
            assertThat(ComposeFiles.at(value, "file")).isEqualTo("./secrets/" + name);
            assertThat(ComposeFiles.text("secrets.sh")).contains((String) name);
        });
        assertThat(ComposeFiles.text(".gitignore").lines()).contains("secrets/", ".env");
    }

    @Test
    void theDemoOfComposeHasTheShardsThatTheScriptPrints() throws Exception {
        Object compose =
                ComposeFiles.documents(ComposeFiles.text("compose.yaml")).get(0);
        Map<String, Object> environment = new LinkedHashMap<>();
        ((Map<?, ?>) ComposeFiles.at(compose, "services", "demo", "environment"))
                .forEach((name, value) -> environment.put((String) name, value));
        environment.remove("REACTIVEROUTER_SINGLESHARD");
        assertThat(environment)
                .containsExactlyInAnyOrderEntriesOf(
                        Map.copyOf(variables(ComposeFiles.run(Map.of(), "bash", "shards.sh", "3"))));
    }

    @ParameterizedTest
    @CsvSource({"cloudnativepg, s%d-rw, s%d-ro", "statefulset, s%d-postgres-0.s%d-postgres, s%d-postgres-1.s%d-postgres"
    })
    void theDemoOfKubernetesHasTheShardsThatTheScriptPrints(String overlay, String host, String replica)
            throws Exception {
        Map<String, String> script =
                Map.of("HOST", host, "REPLICA", replica, "PASSWORD_FILE", "/etc/shards/s%d/password");
        Map<String, String> variables = variables(ComposeFiles.text("k8s/overlays/" + overlay + "/router.env"));
        assertThat(variables.remove("REACTIVEROUTER_SINGLESHARD")).isEmpty();
        assertThat(variables).isEqualTo(variables(ComposeFiles.run(script, "bash", "shards.sh", "3")));
    }

    @ParameterizedTest
    @CsvSource({"cloudnativepg, Cluster", "statefulset, StatefulSet"})
    void kustomizeRendersOneDatabaseForEachShardAndTheGlobalOne(String overlay, String kind) throws Exception {
        List<Object> rendered =
                ComposeFiles.documents(ComposeFiles.run(Map.of(), "kubectl", "kustomize", "k8s/overlays/" + overlay));
        assertThat(rendered)
                .filteredOn(object -> kind.equals(ComposeFiles.at(object, "kind")))
                .extracting(object ->
                        ComposeFiles.at(object, "metadata", "name").toString().replace("-postgres", ""))
                .containsExactlyInAnyOrder("s0", "s1", "s2", "global");
        assertThat(rendered)
                .filteredOn(object -> "Deployment".equals(ComposeFiles.at(object, "kind")))
                .singleElement()
                .satisfies(demo -> assertThat(ComposeFiles.all(demo, "path"))
                        .contains("/actuator/health/readiness", "/actuator/health/liveness"));
    }

    private static Map<String, String> variables(String text) {
        Map<String, String> variables = new TreeMap<>();
        text.lines().filter(line -> !line.startsWith("#") && line.contains("=")).forEach(line -> {
            int equals = line.indexOf('=');
            variables.put(line.substring(0, equals), line.substring(equals + 1));
        });
        return variables;
    }
}
