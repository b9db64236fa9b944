package io.reactiverouter.spring.autoconfigure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Applications of the tests. */
final class TestApplications {

    private TestApplications() {}

    /** A whole application, with every auto-configuration on the class path. */
    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {}

    /** A context with nothing but this module's auto-configuration. */
    static ApplicationContextRunner runner() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(ReactiveRouterAutoConfiguration.class));
    }

    /** Properties of shards that nobody connects to, and of the keyspace trading by modulo. */
    static String[] shards(int count) {
        List<String> properties = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            properties.add("reactive-router.shards.s" + i + ".url=r2dbc:postgresql://app@db" + i + ".invalid:5432/app");
        }
        properties.add("reactive-router.keyspaces.trading.key=user_id");
        properties.add("reactive-router.keyspaces.trading.strategy=modulo");
        return properties.toArray(String[]::new);
    }

    /** Properties of a file with this content. */
    static PropertySource<?> yaml(String name, String text) {
        try {
            return new YamlPropertySourceLoader()
                    .load(name, new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8)))
                    .get(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
