package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardsExtension;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Java's hash of a key is the server's. */
class PostgresHashIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final int KEYS = 100_000;
    private static final long SEED = 20_261_121L;

    private final Random random = new Random(SEED);

    @Test
    void integersHashAsOnTheServer() throws Exception {
        List<Long> keys = new ArrayList<>(List.of(0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, -1L << 32));
        for (int i = 0; i < KEYS; i++) {
            keys.add(random.nextLong() >> random.nextInt(64));
        }
        verify("bigint", "hashint8extended(key, 0)", keys, ShardKey::of);
    }

    @Test
    void integersOfFourBytesHashAsThoseOfEight() throws Exception {
        List<Integer> keys = new ArrayList<>(List.of(0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE));
        for (int i = 0; i < KEYS; i++) {
            keys.add(random.nextInt());
        }
        verify("integer", "hashint4extended(key, 0)", keys, key -> ShardKey.of(key));
    }

    @Test
    void textsHashAsOnTheServer() throws Exception {
        List<String> keys =
                new ArrayList<>(List.of("", "a", "\u00e4\u00f6", "\u6f22\u5b57", "\ud83d\ude00", "'\\\"{},"));
        for (int i = 0; i < KEYS; i++) {
            keys.add(text());
        }
        verify("text", "hashtextextended(key, 0)", keys, ShardKey::of);
    }

    @Test
    void uuidsHashAsOnTheServer() throws Exception {
        List<UUID> keys = new ArrayList<>(List.of(new UUID(0, 0), new UUID(-1, -1)));
        for (int i = 0; i < KEYS; i++) {
            keys.add(new UUID(random.nextLong(), random.nextLong()));
        }
        verify("uuid", "uuid_hash_extended(key, 0)", keys, ShardKey::of);
    }

    private String text() {
        int length = random.nextInt(100) == 0 ? random.nextInt(2_000) : random.nextInt(40);
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            int codePoint = random.nextBoolean() ? 1 + random.nextInt(127) : 1 + random.nextInt(0x10ffff);
            if (codePoint < 0xd800 || codePoint > 0xdfff) {
                text.appendCodePoint(codePoint);
            }
        }
        return text.toString();
    }

    private static <K> void verify(String type, String hash, List<K> keys, Function<K, ShardKey> key) throws Exception {
        try (Connection connection = SHARDS.node(0).openJdbc();
                PreparedStatement statement = connection.prepareStatement("select " + hash + ", (" + hash
                        + " >> 50) & 16383 from unnest(?::" + type + "[]) with ordinality as t(key, n) order by n")) {
            Array array = connection.createArrayOf(type, keys.toArray());
            statement.setArray(1, array);
            try (ResultSet result = statement.executeQuery()) {
                for (K value : keys) {
                    ShardKey shardKey = key.apply(value);
                    assertThat(result.next()).isTrue();
                    assertThat(HashSlots.token(shardKey))
                            .as("token of %s %s, seed %s", type, shardKey, SEED)
                            .isEqualTo(result.getLong(1));
                    assertThat(HashSlots.slot(shardKey))
                            .as("slot of %s", shardKey)
                            .isEqualTo(result.getInt(2));
                }
            }
        }
    }
}
