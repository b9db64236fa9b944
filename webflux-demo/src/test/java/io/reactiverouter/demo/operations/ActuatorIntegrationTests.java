package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.reactiverouter.micrometer.RouterMeter;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webtestclient.autoconfigure.AutoConfigureWebTestClient;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** What Prometheus, Docker and Kubernetes ask the application, and that they can ask nothing else. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT, properties = "demo.load.enabled=false")
@AutoConfigureWebTestClient(timeout = "PT20S")
@NullUnmarked
class ActuatorIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private final WebTestClient web;
    private final MeterRegistry meters;

    @Autowired
    ActuatorIntegrationTests(WebTestClient web, MeterRegistry meters) {
        this.web = web;
        this.meters = meters;
    }

    @DynamicPropertySource
    static void shards(DynamicPropertyRegistry registry) {
        for (ShardNode node : SHARDS.nodes()) {
            registry.add("reactive-router.shards." + node.name() + ".url", node::r2dbcUrl);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/actuator/health/liveness", "/actuator/health/readiness"})
    void probesAreAnswered(String path) {
        web.get().uri(path).exchange().expectStatus().isOk().expectBody().json("{\"status\": \"UP\"}");
    }

    @Test
    void timersHaveBuckets() {
        for (RouterMeter meter :
                List.of(RouterMeter.CALLS, RouterMeter.ATTEMPTS, RouterMeter.FIRST_ROW, RouterMeter.ACQUIRE)) {
            List<Tag> tags =
                    meter.tags().stream().map(tag -> Tag.of(tag, "test")).toList();
            meters.timer(meter.meterName(), tags).record(Duration.ofMillis(20));
        }

        String scraped = web.get()
                .uri("/actuator/prometheus")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(scraped)
                .contains("reactiverouter_calls_seconds_bucket{")
                .contains("reactiverouter_attempts_seconds_bucket{")
                .contains("reactiverouter_first_row_seconds_bucket{")
                .contains("reactiverouter_acquire_seconds_bucket{");
        assertThat(scraped.lines().filter(line -> line.startsWith("reactiverouter_acquire_seconds_bucket{")))
                .as("buckets of the acquire timer")
                .anyMatch(line -> line.contains("test") && line.contains("le=\"30.0\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"env", "configprops", "beans", "heapdump", "metrics", "loggers", "shutdown"})
    void nothingElseIsThere(String endpoint) {
        web.get()
                .uri("/actuator/" + endpoint)
                .exchange()
                .expectStatus()
                .isNotFound()
                .expectBody();
    }
}
