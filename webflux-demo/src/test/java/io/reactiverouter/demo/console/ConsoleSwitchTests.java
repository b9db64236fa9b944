package io.reactiverouter.demo.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.spring.autoconfigure.ReactiveRouterObservabilityProperties;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

class ConsoleSwitchTests {

    private final ApplicationContextRunner application =
            new ApplicationContextRunner().withUserConfiguration(Parts.class);

    @Configuration(proxyBeanMethods = false)
    @EnableConfigurationProperties(ReactiveRouterObservabilityProperties.class)
    @Import({ConsolePage.class, CallRates.class, LatestCalls.class})
    static class Parts {}

    @Test
    void isThereUnlessItIsSwitchedOff() {
        application.run(context -> {
            assertThat(context).hasSingleBean(ConsolePage.class);
            assertThat(context.getBeansOfType(CallInstrumentation.class)).hasSize(2);
        });
    }

    @Test
    void nothingOfItIsThereOrWatchesCallsWhenItIsSwitchedOff() {
        application.withPropertyValues("demo.console.enabled=false").run(context -> {
            assertThat(context).doesNotHaveBean(ConsolePage.class).doesNotHaveBean("consoleRoutes");
            assertThat(context).doesNotHaveBean(CallInstrumentation.class);
        });
    }
}
