package io.reactiverouter.demo.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.reactiverouter.micrometer.RouterMeter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Dashboard and alerts ask for meters that the router has, under the names that Micrometer gives them for Prometheus. */
class MetricNamesTests {

    private static final String DASHBOARD = "grafana/dashboards/reactive-router.json";
    private static final String ALERTS = "prometheus/alerts.yml";

    private static final Pattern METRIC = Pattern.compile("\\breactiverouter_\\w+");
    private static final Pattern MATCHER = Pattern.compile("(\\w+)\\s*(?:=~|!~|!=|=)\\s*\"");
    private static final Pattern GROUPING = Pattern.compile("\\b(?:by|on|ignoring|without)\\s*\\(([^)]*)\\)");

    @Test
    void everyMetricOfTheAlertsExists() {
        assertThat(found(METRIC, expressions(ALERTS))).hasSizeGreaterThan(5).isSubsetOf(exposed());
    }

    @Test
    void everyMetricOfTheDashboardExists() {
        Set<String> used = found(METRIC, expressions(DASHBOARD));
        used.addAll(found(METRIC, text(DASHBOARD, "definition")));
        assertThat(used).isSubsetOf(exposed());
    }

    @Test
    void theDashboardShowsEveryMeter() {
        Set<String> used = found(METRIC, expressions(DASHBOARD));
        for (RouterMeter meter : RouterMeter.values()) {
            assertThat(used).as(meter.meterName()).anyMatch(exposed(meter)::contains);
        }
    }

    @Test
    void everyLabelIsATag() {
        Set<String> labels = Stream.of(RouterMeter.values())
                .flatMap(meter -> meter.tags().stream())
                .collect(Collectors.toCollection(TreeSet::new));
        labels.addAll(List.of("job", "instance", "le"));
        for (String file : List.of(ALERTS, DASHBOARD)) {
            Set<String> used = new TreeSet<>();
            for (String expression : expressions(file)) {
                MATCHER.matcher(expression).results().forEach(match -> used.add(match.group(1)));
                GROUPING.matcher(expression)
                        .results()
                        .flatMap(match -> Stream.of(match.group(1).split(",", -1)))
                        .forEach(label -> used.add(label.strip()));
            }
            assertThat(used).as(file).isNotEmpty().isSubsetOf(labels);
        }
    }

    @Test
    void everyAlertIsSeenToFire() {
        List<Object> tests = ComposeFiles.all(
                ComposeFiles.documents(ComposeFiles.text("prometheus/alerts.test.yml")), "alert_rule_test");
        Set<String> fired = tests.stream()
                .flatMap(test -> ((List<?>) test).stream())
                .map(test -> (Map<?, ?>) test)
                .filter(test -> test.containsKey("exp_alerts"))
                .map(test -> String.valueOf(test.get("alertname")))
                .collect(Collectors.toSet());
        assertThat(alerts()).isNotEmpty().isSubsetOf(fired);
    }

    @Test
    void everyAlertIsInTheReadme() throws IOException {
        String readme = Files.readString(Path.of("..", "README.md"));
        assertThat(alerts()).allSatisfy(alert -> assertThat(readme).contains("`" + alert + "`"));
    }

    @Test
    void promtoolAcceptsAndTestsTheAlerts() throws Exception {
        ComposeFiles.run(Map.of(), "promtool", "check", "config", "prometheus/prometheus.yml");
        String output = ComposeFiles.run(Map.of(), "promtool", "test", "rules", "prometheus/alerts.test.yml");
        assertThat(output).contains("SUCCESS");
    }

    @Test
    void promtoolAcceptsTheQueriesOfTheDashboard(@TempDir Path directory) throws Exception {
        StringBuilder rules = new StringBuilder("groups:\n- name: dashboard\n  rules:\n");
        int number = 0;
        for (String expression : expressions(DASHBOARD)) {
            String query = expression.replace("$__rate_interval", "5m").replaceAll("\\$\\w+", ".*");
            rules.append("  - {record: q")
                    .append(number++)
                    .append(", expr: '")
                    .append(query)
                    .append("'}\n");
        }
        Path file = Files.writeString(directory.resolve("dashboard.yml"), rules);
        String output = ComposeFiles.run(
                Map.of(), "promtool", "check", "rules", file.toAbsolutePath().toString());
        assertThat(output).contains(number + " rules found");
    }

    private static List<String> alerts() {
        return text(ALERTS, "alert");
    }

    private static List<String> expressions(String file) {
        return text(file, "expr");
    }

    private static List<String> text(String file, String key) {
        return ComposeFiles.all(ComposeFiles.documents(ComposeFiles.text(file)), key).stream()
                .map(String::valueOf)
                .toList();
    }

    private static Set<String> found(Pattern pattern, List<String> texts) {
        return texts.stream()
                .flatMap(text -> pattern.matcher(text).results())
                .map(MatchResult::group)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> exposed() {
        return Stream.of(RouterMeter.values())
                .flatMap(meter -> exposed(meter).stream())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Returns the names under which a scrape has this meter. */
    private static Set<String> exposed(RouterMeter meter) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        List<Tag> tags = meter.tags().stream().map(tag -> Tag.of(tag, "x")).toList();
        switch (meter.type()) {
            case TIMER ->
                Timer.builder(meter.meterName())
                        .tags(tags)
                        .publishPercentileHistogram()
                        .register(registry);
            case DISTRIBUTION_SUMMARY ->
                DistributionSummary.builder(meter.meterName()).tags(tags).register(registry);
            case COUNTER -> Counter.builder(meter.meterName()).tags(tags).register(registry);
            case GAUGE -> Gauge.builder(meter.meterName(), () -> 1).tags(tags).register(registry);
            default -> throw new AssertionError(meter + " is of type " + meter.type());
        }
        Map<String, String> names = registry.scrape()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.replaceFirst("[{ ].*", ""))
                .collect(Collectors.toMap(Function.identity(), name -> name, (a, b) -> a, LinkedHashMap::new));
        return names.keySet();
    }
}
