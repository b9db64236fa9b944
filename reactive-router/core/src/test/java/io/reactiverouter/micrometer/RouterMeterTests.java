package io.reactiverouter.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class RouterMeterTests {

    @Test
    void readmeHasATableOfAllMeters() throws IOException {
        assertThat(Files.readAllLines(Path.of("../../README.md")).stream()
                        .filter(line -> line.startsWith("| `reactiverouter.")))
                .containsExactlyElementsOf(Arrays.stream(RouterMeter.values())
                        .map(RouterMeterTests::row)
                        .toList());
    }

    private static String row(RouterMeter meter) {
        return "| `" + meter.meterName() + "` | "
                + meter.type().name().toLowerCase(Locale.ROOT).replace('_', ' ') + " | "
                + String.join(", ", meter.tags()) + " | " + meter.description() + " |";
    }
}
