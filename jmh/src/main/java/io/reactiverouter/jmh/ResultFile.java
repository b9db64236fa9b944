package io.reactiverouter.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The results of several comparisons, as a JSON array. */
final class ResultFile {

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private ResultFile() {}

    /** Returns what is in the file, which is nothing if there is no file. */
    static List<ComparisonResult> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        return JSON.readValue(Files.readString(file), new TypeReference<List<ComparisonResult>>() {});
    }

    /** Adds a result, or replaces the one of the same name. */
    static void add(Path file, ComparisonResult result) throws IOException {
        List<ComparisonResult> results = new ArrayList<>(read(file));
        results.removeIf(earlier -> earlier.name().equals(result.name()));
        results.add(result);
        Files.writeString(file, JSON.writeValueAsString(results) + "\n");
    }
}
