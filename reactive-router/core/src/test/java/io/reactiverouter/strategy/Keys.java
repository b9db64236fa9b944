package io.reactiverouter.strategy;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Keys for tests: extreme ones and random ones from a fixed seed. */
final class Keys {

    private static final int RANDOM = 5_000;

    private Keys() {}

    static List<ShardKey> integers() {
        List<ShardKey> keys = new ArrayList<>();
        for (long key : new long[] {0, 1, -1, 42, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, -1L << 32}) {
            keys.add(ShardKey.of(key));
        }
        Random random = new Random(1);
        for (int i = 0; i < RANDOM; i++) {
            keys.add(ShardKey.of(random.nextLong() >> random.nextInt(64)));
        }
        return keys;
    }

    static List<ShardKey> texts() {
        List<ShardKey> keys = new ArrayList<>();
        for (String key : List.of(
                "",
                " ",
                "a",
                "user-42",
                "Stra\u00dfe",
                "\u20ac",
                "\ud83d\ude80",
                "\uffff",
                "x".repeat(3_000),
                "it's \\ \"q\"")) {
            keys.add(ShardKey.of(key));
        }
        Random random = new Random(2);
        for (int i = 0; i < RANDOM; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(40); length > 0; length--) {
                int point = random.nextInt(random.nextBoolean() ? 0x7f : 0x10ffff) + 1;
                text.appendCodePoint(point >= 0xd800 && point < 0xe000 ? 'x' : point);
            }
            keys.add(ShardKey.of(text.toString()));
        }
        return keys;
    }

    static List<ShardKey> uuids() {
        List<ShardKey> keys = new ArrayList<>(
                List.of(ShardKey.of(new UUID(0, 0)), ShardKey.of(new UUID(-1, -1)), ShardKey.of(new UUID(1, -1))));
        Random random = new Random(3);
        for (int i = 0; i < RANDOM; i++) {
            keys.add(ShardKey.of(new UUID(random.nextLong(), random.nextLong())));
        }
        return keys;
    }

    static List<ShardKey> timestamps() {
        List<ShardKey> keys = new ArrayList<>();
        Instant start = Instant.parse("2020-01-01T00:00:00Z");
        Random random = new Random(4);
        for (int i = 0; i < RANDOM; i++) {
            keys.add(ShardKey.of(start.plus(random.nextInt(200_000_000), ChronoUnit.SECONDS)
                    .plus(random.nextInt(1_000_000), ChronoUnit.MICROS)));
        }
        return keys;
    }

    static List<ShardKey> hashable() {
        List<ShardKey> keys = new ArrayList<>(integers());
        keys.addAll(texts());
        keys.addAll(uuids());
        return keys;
    }
}
