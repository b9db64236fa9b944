package io.reactiverouter.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretTests {

    private final Path directory;

    SecretTests(@TempDir Path directory) {
        this.directory = directory;
    }

    @ParameterizedTest
    @ValueSource(strings = {"pa ss", "pa ss\n", "pa ss\r\n"})
    void oneLineBreakAtTheEndOfAFileIsNotPartOfIt(String content) throws IOException {
        assertThat(Secret.file(Files.writeString(directory.resolve("password"), content))
                        .reveal())
                .isEqualTo("pa ss");
    }

    @Test
    void otherWhiteSpaceIs() throws IOException {
        assertThat(Secret.file(Files.writeString(directory.resolve("password"), " a\n\n"))
                        .reveal())
                .isEqualTo(" a\n");
    }

    @Test
    void fileIsReadWithEachUse() throws IOException {
        Path file = directory.resolve("password");
        Secret secret = Secret.file(file);
        assertThatIllegalStateException().isThrownBy(secret::reveal).withMessageContaining(file.toString());
        Files.writeString(file, "old");
        assertThat(secret.reveal()).isEqualTo("old");
        Files.writeString(file, "new");
        assertThat(secret.reveal()).isEqualTo("new");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 70_000})
    void fileThatCannotBeAPasswordIsRefusedWithoutItsContents(int size) throws IOException {
        Path file = Files.writeString(directory.resolve("password"), "\n".repeat(size));
        assertThatIllegalStateException().isThrownBy(Secret.file(file)::reveal).withMessageContaining(file.toString());
    }

    @Test
    void supplierIsAskedWithEachUse() {
        AtomicInteger calls = new AtomicInteger();
        Secret secret = Secret.from(() -> "p" + calls.incrementAndGet());
        assertThat(secret.reveal()).isEqualTo("p1");
        assertThat(secret.reveal()).isEqualTo("p2");
    }

    @Test
    void supplierThatFailsFailsAsItself() {
        Secret secret = Secret.from(() -> {
            throw new UnsupportedOperationException("vault is sealed");
        });
        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(secret::reveal);
    }

    @Test
    void secretsAreComparedWithoutBeingRead() {
        Supplier<String> vault = () -> {
            throw new IllegalStateException("read");
        };
        assertThat(Secret.of("a")).isEqualTo(Secret.of("a")).isNotEqualTo(Secret.of("b"));
        assertThat(Secret.from(vault)).isEqualTo(Secret.from(vault)).isNotEqualTo(Secret.from(() -> "a"));
        assertThat(Secret.file(Path.of("a"))).isEqualTo(Secret.file(Path.of("a").toAbsolutePath()));
        assertThat(Secret.file(Path.of("a"))).isNotEqualTo(Secret.of("a")).hasToString("******");
    }
}
