package io.reactiverouter.topology;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A value that never prints: {@link #toString()} is the same for every secret. It is fixed, or asked for anew each time it is
 * needed, so that it can change while the application runs. Thread-safe if its supplier is.
 */
public final class Secret {

    private static final int MAX_FILE_BYTES = 64 * 1024;

    /** By which secrets are compared. */
    private final Object identity;

    private final Supplier<String> source;

    private Secret(Object identity, Supplier<String> source) {
        this.identity = identity;
        this.source = source;
    }

    /** Wraps {@code value}. */
    public static Secret of(String value) {
        Objects.requireNonNull(value, "secret must not be null");
        return new Secret(value, () -> value);
    }

    /**
     * Asks {@code source} each time the value is needed: for a connection, once when it is opened, on a thread that may
     * block. Two such secrets are equal if they have the same supplier.
     */
    public static Secret from(Supplier<String> source) {
        return new Secret(Objects.requireNonNull(source, "source of a secret must not be null"), source);
    }

    /**
     * Reads the value from a UTF-8 file each time it is needed, without one line break at its end: a mounted Kubernetes or
     * Docker secret, for instance. The file may change at any time and is not read before the first use. Two such
     * secrets are equal if they have the same path.
     */
    public static Secret file(Path file) {
        Path absolute = file.toAbsolutePath();
        return new Secret(absolute, () -> read(absolute));
    }

    private static String read(Path file) {
        byte[] bytes;
        try (InputStream content = Files.newInputStream(file)) {
            bytes = content.readNBytes(MAX_FILE_BYTES + 1);
        } catch (IOException e) {
            throw new IllegalStateException(
                    "secret cannot be read from " + file + ": " + e + "; mount the file or correct its path", e);
        }
        if (bytes.length > MAX_FILE_BYTES) {
            throw new IllegalStateException("secret in " + file + " is longer than " + MAX_FILE_BYTES
                    + " bytes; name the file that holds nothing else");
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        String value = text.endsWith("\r\n")
                ? text.substring(0, text.length() - 2)
                : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        if (value.isEmpty()) {
            throw new IllegalStateException("secret in " + file + " is empty; write the value into the file");
        }
        return value;
    }

    /**
     * Returns the value itself, for the one place that must send it to the server. Can block where it is not fixed.
     *
     * @throws IllegalStateException if it cannot be read; the supplier's own exceptions pass through
     */
    public String reveal() {
        return Objects.requireNonNull(source.get(), "the supplier of a secret gave null");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret that && identity.equals(that.identity);
    }

    @Override
    public int hashCode() {
        return identity.hashCode();
    }

    @Override
    public String toString() {
        return "******";
    }
}
