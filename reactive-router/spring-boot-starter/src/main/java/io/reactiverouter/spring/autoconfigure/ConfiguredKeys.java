package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.strategy.KeyType;
import io.reactiverouter.strategy.ShardKey;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.UUID;

/** Reads sharding keys from texts. */
final class ConfiguredKeys {

    private ConfiguredKeys() {}

    /** Returns the key that {@code text}, the value of {@code property} or a part of its name, stands for. */
    static ShardKey key(String property, KeyType type, String text) {
        return InvalidRouterConfigurationException.check(
                property,
                "Write " + example(type) + ", or set the keyspace's key-type to what its keys are.",
                () -> parse(type, text));
    }

    private static ShardKey parse(KeyType type, String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("its key is empty");
        }
        return switch (type) {
            case INTEGER -> ShardKey.of(integer(text));
            case TEXT -> ShardKey.of(text);
            case UUID -> ShardKey.of(uuid(text));
            case TIMESTAMP -> timestamp(text);
        };
    }

    private static long integer(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not an integer of 64 bits", e);
        }
    }

    /** Java reads UUIDs with digits missing, too. */
    private static UUID uuid(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            if (uuid.toString().equals(text.toLowerCase(Locale.ROOT))) {
                return uuid;
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not a UUID", e);
        }
        throw new IllegalArgumentException("\"" + text + "\" is not a complete UUID");
    }

    private static ShardKey timestamp(String text) {
        try {
            return ShardKey.of(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not a time with its offset", e);
        }
    }

    private static String example(KeyType type) {
        return switch (type) {
            case INTEGER -> "an integer, as in 42";
            case TEXT -> "a text";
            case UUID -> "a UUID, as in 6f1c7d2e-8c7e-4a7e-9d5b-2f3f0a9b1c4d";
            case TIMESTAMP -> "a time with its offset, as in 2026-01-01T00:00:00Z";
        };
    }
}
