package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardsExtension;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The golden file says what the server says. To write it anew, with more keys, run this test with
 * {@code -Dgolden.write=src/test/resources/io/reactiverouter/strategy/golden-keys.tsv}; tokens of keys that are in it
 * already must never change.
 */
@NullUnmarked
class GoldenFileIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    @Test
    void fileIsWhatTheServerSays() throws IOException, SQLException {
        StringBuilder text = new StringBuilder(GoldenFile.HEADER).append('\n');
        try (Connection connection = SHARDS.node(0).openJdbc()) {
            for (ShardKey key : keys()) {
                text.append(line(connection, key)).append('\n');
            }
        }
        String path = System.getProperty("golden.write");
        if (path != null) {
            Files.writeString(Path.of(path), text, StandardCharsets.US_ASCII);
        } else {
            assertThat(GoldenFile.text()).isEqualTo(text.toString());
        }
    }

    private static GoldenFile.Line line(Connection connection, ShardKey key) throws SQLException {
        String hash =
                switch (KeyType.of(key)) {
                    case INTEGER -> "hashint8extended";
                    case TEXT -> "hashtextextended";
                    case UUID -> "uuid_hash_extended";
                    case TIMESTAMP -> throw new IllegalArgumentException("timestamps are not hashed");
                };
        try (PreparedStatement statement = connection.prepareStatement("select token, (token >> 50) & 16383 from "
                + hash + "(?::" + GoldenFile.type(key) + ", 0) as h(token)")) {
            statement.setString(1, key.parameter().toString());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new GoldenFile.Line(key, row.getLong(1), row.getInt(2));
            }
        }
    }

    private static Set<ShardKey> keys() {
        Random random = new Random(42);
        Set<ShardKey> keys = new LinkedHashSet<>();
        for (int bits = 0; bits < 64; bits += 7) {
            for (long around : new long[] {-1, 0, 1}) {
                keys.add(ShardKey.of((1L << bits) + around));
                keys.add(ShardKey.of(-(1L << bits) + around));
            }
        }
        for (long key : new long[] {
            42, Integer.MAX_VALUE, Integer.MIN_VALUE, Short.MAX_VALUE, Short.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE
        }) {
            keys.add(ShardKey.of(key));
        }
        List<String> texts = new ArrayList<>(List.of(
                "",
                " ",
                "a",
                "A",
                "a ",
                "0",
                "42",
                "-1",
                "user-42",
                "tenant_0001",
                "null",
                "'",
                "\\",
                "a\\u0041",
                "\t",
                "\n",
                "\u0001",
                "\u007f",
                "\u0080",
                "\u00e9",
                "e\u0301",
                "Stra\u00dfe \u2713 \ud83d\ude80",
                "\u07ff",
                "\u0800",
                "\ud7ff",
                "\ue000",
                "\ufeff",
                "\uffff",
                "\ud800\udc00",
                "\udbff\udfff",
                "\u6f22\u5b57",
                "\u0645\u0631\u062d\u0628\u0627"));
        for (int length = 1; length <= 30; length++) {
            texts.add("abcdefghijklmnopqrstuvwxyz0123".substring(0, length));
            texts.add("\u00fc".repeat(length));
        }
        texts.add("\ud83d\ude00".repeat(100));
        texts.add("x".repeat(1_000));
        texts.forEach(text -> keys.add(ShardKey.of(text)));
        keys.add(ShardKey.of(new UUID(0, 0)));
        keys.add(ShardKey.of(new UUID(-1, -1)));
        keys.add(ShardKey.of(new UUID(0x0123456789abcdefL, 0xfedcba9876543210L)));
        for (int bit = 0; bit < 64; bit += 8) {
            keys.add(ShardKey.of(new UUID(1L << bit, 0)));
            keys.add(ShardKey.of(new UUID(0, 1L << bit)));
        }
        for (int i = 0; i < 40; i++) {
            keys.add(ShardKey.of(new UUID(random.nextLong(), random.nextLong())));
        }
        return keys;
    }
}
