package io.reactiverouter.spring.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

/** Shows which property is wrong, where it was read, and what to do. Never shows a value. */
final class InvalidRouterConfigurationFailureAnalyzer
        extends AbstractFailureAnalyzer<InvalidRouterConfigurationException> {

    private final Environment environment;

    InvalidRouterConfigurationFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidRouterConfigurationException cause) {
        String origin = PropertyOrigin.find(environment, cause.subject())
                .map(place -> "%n%n    Origin: %s".formatted(place))
                .orElse("");
        return new FailureAnalysis(
                "'" + cause.subject() + "' is not usable: " + cause.problem() + "." + origin, cause.remedy(), cause);
    }
}
