package io.reactiverouter.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The results that JMH writes as JSON. */
final class JmhFile {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final String BYTES = "gc.alloc.rate.norm";

    private JmhFile() {}

    /** One benchmark with one set of parameters. */
    record Score(
            String benchmark,
            String parameters,
            double score,
            double error,
            String unit,
            @Nullable Double bytes) {}

    /** Returns where those of a suite are whose comparisons are in a file. */
    static Path beside(Path results) {
        return results.resolveSibling(Report.name(results) + "-jmh.json");
    }

    /** Returns what is in the file, which is nothing if there is no file. */
    static List<Score> read(Path file) throws IOException {
        List<Score> scores = new ArrayList<>();
        if (Files.exists(file)) {
            for (JsonNode result : JSON.readTree(Files.readString(file))) {
                scores.add(score(result));
            }
        }
        return scores;
    }

    private static Score score(JsonNode result) {
        String benchmark = result.path("benchmark").asString();
        List<String> parameters = new ArrayList<>();
        for (var parameter : result.path("params").properties()) {
            parameters.add(parameter.getKey() + " " + parameter.getValue().asString());
        }
        JsonNode primary = result.path("primaryMetric");
        JsonNode bytes = result.path("secondaryMetrics").path(BYTES).path("score");
        return new Score(
                benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1),
                String.join(", ", parameters),
                number(primary.path("score")),
                number(primary.path("scoreError")),
                primary.path("scoreUnit").asString(),
                bytes.isMissingNode() ? null : number(bytes));
    }

    /** JMH writes NaN, as for the error of a single iteration, as text. */
    private static double number(JsonNode node) {
        return node.isNumber() ? node.asDouble() : Double.NaN;
    }
}
