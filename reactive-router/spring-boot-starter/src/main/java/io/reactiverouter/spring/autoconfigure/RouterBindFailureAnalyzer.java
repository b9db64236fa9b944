package io.reactiverouter.spring.autoconfigure;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;

/**
 * Explains a property of the router that cannot be read. Comes before Spring Boot's own analyzers, which print the value:
 * that can be a URL with a password.
 */
final class RouterBindFailureAnalyzer extends AbstractFailureAnalyzer<BindException> implements Ordered {

    private static final ConfigurationPropertyName PREFIX =
            ConfigurationPropertyName.of(ReactiveRouterProperties.PREFIX);

    private static final String REMEDY =
            "Correct the property. A list takes indexes from [0] on without a gap, a time a"
                    + " number with its unit as in 500ms, 5s or 10m, and a shard or keyspace takes properties below its name, not a"
                    + " value of its own.";

    private final Environment environment;

    RouterBindFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BindException cause) {
        ConfigurationPropertyName name = cause.getName();
        if (!PREFIX.equals(name) && !PREFIX.isAncestorOf(name)) {
            return null;
        }
        String origin = PropertyOrigin.find(environment, name.toString())
                .map(place -> "%n%n    Origin: %s".formatted(place))
                .orElse("");
        Class<?> type = cause.getTarget().getType().toClass();
        return new FailureAnalysis(
                "'" + name + "' cannot be read as " + type.getSimpleName() + "." + origin,
                type.isEnum() ? "Set it to one of " + names(type) + "." : REMEDY,
                cause);
    }

    private static List<String> names(Class<?> type) {
        return Arrays.stream(type.getEnumConstants())
                .map(each -> each.toString().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
