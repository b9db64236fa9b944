package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Java's tokens and slots are those that PostgreSQL once gave for the keys of the golden file. */
class GoldenFileTests {

    @Test
    void tokensAndSlotsAreThoseOfTheFile() throws IOException {
        List<GoldenFile.Line> lines = GoldenFile.read();

        assertThat(lines).hasSizeGreaterThan(200);
        assertThat(lines.stream().collect(Collectors.groupingBy(line -> KeyType.of(line.key()), Collectors.counting())))
                .allSatisfy((type, count) ->
                        assertThat(count).as("keys of type %s", type).isGreaterThan(40));
        assertThat(lines).allSatisfy(line -> {
            assertThat(HashSlots.token(line.key()))
                    .as("token of %s", line.key())
                    .isEqualTo(line.token());
            assertThat(HashSlots.slot(line.key())).as("slot of %s", line.key()).isEqualTo(line.slot());
        });
    }
}
