package io.reactiverouter.demo.trading;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A marked password is looked for in the log of the application, at TRACE, and in all answers of Actuator, with values shown. */
@NullUnmarked
class SecretsIntegrationTests {

    private static final String SENTINEL = "Zx7-sentinel-Qk93-password";

    /** The console needs no more than the line that says that the application is ready. */
    private static final String LOG_EVERYTHING = """
            <configuration>
                <appender name="file" class="ch.qos.logback.core.FileAppender">
                    <file>%s</file>
                    <encoder><pattern>%%level %%logger %%mdc %%msg %%xEx%%n</pattern></encoder>
                </appender>
                <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
                    <filter class="ch.qos.logback.classic.filter.ThresholdFilter"><level>INFO</level></filter>
                    <encoder><pattern>%%msg%%n</pattern></encoder>
                </appender>
                <root level="TRACE"><appender-ref ref="file"/><appender-ref ref="console"/></root>
            </configuration>
            """;

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void passwordIsNeitherInTheLogNorInAnAnswer(@TempDir Path directory) throws Exception {
        Path log = directory.resolve("demo.log");
        try (EmbeddedShards shards =
                EmbeddedShards.builder(1).password(SENTINEL).start()) {
            ShardNode node = shards.node(0);
            Path properties =
                    Files.writeString(directory.resolve("secrets.yaml"), """
                    reactive-router:
                      cursor-key: %1$s-%1$s
                      shards:
                        s0: {url: "%2$s", username: app, password: "%1$s"}
                    """.formatted(SENTINEL, node.r2dbcUrl()));
            Path logging = Files.writeString(directory.resolve("logback.xml"), LOG_EVERYTHING.formatted(log));
            List<String> arguments = List.of(
                    "--spring.config.additional-location=" + properties.toUri(),
                    "--reactive-router.shards.s0.replicas[0]=r2dbc:postgresql://app:" + SENTINEL + "@127.0.0.1:1/app",
                    "--server.port=0",
                    "--demo.load.users=20",
                    "--demo.load.orders=50",
                    "--logging.config=" + logging,
                    "--management.endpoints.web.exposure.include=*",
                    "--management.endpoint.env.show-values=always",
                    "--management.endpoint.configprops.show-values=always",
                    "--management.endpoint.health.show-details=always");
            try (DemoProcess demo = new DemoProcess(List.of("-XX:TieredStopAtLevel=1"), arguments)) {
                Map<String, String> answers = answers("http://127.0.0.1:" + demo.port() + "/actuator");

                assertThat(answers)
                        .containsKeys("env", "configprops", "beans", "health", "conditions", "metrics", "prometheus");
                assertThat(answers.get("env"))
                        .contains("reactive-router.shards.s0.url", "reactive-router.shards.s0.replicas[0]")
                        .contains("\"app\"");
                assertThat(answers.get("configprops")).contains("maxSize").contains("\"username\":\"app\"");
                assertThat(having(answers)).as("answers with the password").isEmpty();
            }
        }
        assertThat(log).content().contains("TRACE").contains("ReactorNettyClient");
        try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
            assertThat(lines.filter(line -> line.contains(SENTINEL)).limit(10)).isEmpty();
        }
    }

    private static List<String> having(Map<String, String> answers) {
        return answers.entrySet().stream()
                .filter(answer -> answer.getValue().contains(SENTINEL))
                .map(answer -> answer.getKey() + ": "
                        + answer.getValue()
                                .substring(Math.max(0, answer.getValue().indexOf(SENTINEL) - 200)))
                .map(text -> text.substring(0, Math.min(400, text.length())))
                .collect(Collectors.toList());
    }

    /** Returns what each endpoint says; a dump of the heap has everything in it, and is left out. */
    private Map<String, String> answers(String root) throws Exception {
        Map<String, String> answers = new LinkedHashMap<>();
        JsonNode links = JsonMapper.shared().readTree(get(root)).get("_links");
        for (Map.Entry<String, JsonNode> link : links.properties()) {
            boolean single = !link.getValue().get("templated").asBoolean();
            if (single && !link.getKey().equals("heapdump") && !link.getKey().equals("self")) {
                answers.put(link.getKey(), get(link.getValue().get("href").asString()));
            }
        }
        for (String property : List.of("reactive-router.shards.s0.password", "sun.java.command")) {
            answers.put(property, get(root + "/env/" + property));
        }
        return answers;
    }

    private String get(String address) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
