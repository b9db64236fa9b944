package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;

/** Strategies, the key columns that they are tried on, and the keys in those columns. Key number i is in row i. */
@NullUnmarked
final class PredicateCases {

    static final long SEED = 20_261_124L;

    private static final int RANDOM_KEYS = 100_000;
    private static final int BATCH = 20_000;

    /** Instant 0 of PostgreSQL, 2000-01-01. */
    private static final long POSTGRES_EPOCH = 946_684_800L;

    private static final String INT_COLUMNS = "b bigint";
    private static final String TEXT_COLUMNS = "t text, v varchar(5000), icu text collate \"en-x-icu\","
            + " loose text collate loose, posix text collate \"POSIX\"";

    final Map<String, List<ShardKey>> keys = new LinkedHashMap<>();
    private final int randomKeys;
    private final Random random = new Random(SEED);

    private PredicateCases(int randomKeys) {
        this.randomKeys = randomKeys;
    }

    /** Returns cases with 100 000 random keys of each type. */
    static PredicateCases all() {
        return with(RANDOM_KEYS);
    }

    /** Returns cases with this number of random keys of each type, and the special ones. */
    static PredicateCases with(int randomKeys) {
        PredicateCases cases = new PredicateCases(randomKeys);
        cases.keys.put("longs", cases.longs());
        cases.keys.put("ints", cases.ints());
        cases.keys.put("smalls", cases.smalls());
        cases.keys.put("texts", cases.texts());
        cases.keys.put("uuids", cases.uuids());
        cases.keys.put("times", cases.times());
        cases.keys.put("places", cases.places(cases.keys.get("longs")));
        cases.keys.put("text_places", cases.places(cases.keys.get("texts").subList(0, Math.min(randomKeys, 20_000))));
        return cases;
    }

    /** A strategy over a key column of a table. */
    record Case(String name, ShardingStrategy strategy, String table, KeyColumn column) {

        @Override
        public String toString() {
            return name + " on " + table + "." + column.name();
        }
    }

    List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        hashes().forEach((name, strategy) -> {
            add(cases, name, strategy, "longs", KeyType.INTEGER, "b");
            add(cases, name, strategy, "texts", KeyType.TEXT, "t");
            add(cases, name, strategy, "uuids", KeyType.UUID, "u");
        });
        HashSlots three = HashSlots.over(shards(1, 1, 1));
        ConsistentHash ring = ConsistentHash.over(shards(1, 1, 1), 150);
        Md5 md5 = Md5.over(shards(1, 1, 1));
        Modulo modulo = Modulo.over(shards(1, 1, 1));
        Map<String, ShardingStrategy> narrow = new LinkedHashMap<>();
        narrow.put("three slots", three);
        narrow.put("ring", ring);
        narrow.put("md5 of 3", md5);
        narrow.put("modulo 3", modulo);
        narrow.put("ranges of integers", longRanges());
        narrow.forEach((name, strategy) -> {
            add(cases, name, strategy, "ints", KeyType.INTEGER, "i");
            add(cases, name, strategy, "smalls", KeyType.INTEGER, "s");
        });
        Map<String, ShardingStrategy> texts = new LinkedHashMap<>();
        texts.put("three slots", three);
        texts.put("ring", ring);
        texts.put("md5 of 3", md5);
        texts.put("ranges of texts", textRanges());
        texts.put("directory of texts", directory());
        texts.forEach((name, strategy) -> {
            for (String column : List.of("v", "icu", "loose", "posix")) {
                add(cases, name, strategy, "texts", KeyType.TEXT, column);
            }
        });
        for (int count : new int[] {1, 2, 3, 7, 64}) {
            add(cases, "modulo " + count, Modulo.over(equal(count)), "longs", KeyType.INTEGER, "b");
        }
        add(cases, "ranges of integers", longRanges(), "longs", KeyType.INTEGER, "b");
        add(cases, "closed ranges", closedRanges(), "longs", KeyType.INTEGER, "b");
        add(cases, "many ranges", manyRanges(), "longs", KeyType.INTEGER, "b");
        add(cases, "ranges of texts", textRanges(), "texts", KeyType.TEXT, "t");
        add(cases, "ranges of uuids", uuidRanges(), "uuids", KeyType.UUID, "u");
        add(cases, "ranges of times", timeRanges(), "times", KeyType.TIMESTAMP, "at");
        Ranges everything = Ranges.fromTheLowest().andAbove(id(0));
        add(cases, "one range", everything, "times", KeyType.TIMESTAMP, "at");
        add(cases, "one range", everything, "texts", KeyType.TEXT, "t");
        Directory directory = directory();
        add(cases, "directory", directory, "longs", KeyType.INTEGER, "b");
        add(cases, "directory", directory, "texts", KeyType.TEXT, "t");
        add(cases, "directory", directory, "uuids", KeyType.UUID, "u");
        add(cases, "directory without pins", Directory.over(ring), "texts", KeyType.TEXT, "t");
        add(
                cases,
                "directory over ranges",
                Directory.over(longRanges())
                        .pin(ShardKey.of(0), id(2))
                        .pin(ShardKey.of(Long.MIN_VALUE), id(8))
                        .pin(ShardKey.of(Long.MAX_VALUE), id(8)),
                "longs",
                KeyType.INTEGER,
                "b");
        add(
                cases,
                "directory over times",
                Directory.over(timeRanges())
                        .pin(keys.get("times").get(9), id(7))
                        .pin(ShardKey.of(Instant.parse("-0043-03-15T12:00:00.000001Z")), id(7)),
                "times",
                KeyType.TIMESTAMP,
                "at");
        add(
                cases,
                "directory over a directory",
                Directory.over(directory).pin(ShardKey.of(3), id(0)).pin(ShardKey.of("a"), id(9)),
                "longs",
                KeyType.INTEGER,
                "b");
        Geographic geographic = geographic();
        Map<String, ShardingStrategy> placed = new LinkedHashMap<>();
        placed.put("geographic", geographic);
        placed.put("geographic with default", geographic.withDefaultRegion("it's \\ \"here\""));
        placed.put("directory over geographic", regionalDirectory(geographic));
        placed.forEach((name, strategy) -> {
            for (String region : List.of("region", "loose_region")) {
                cases.add(new Case(
                        name,
                        strategy,
                        "places",
                        KeyColumn.of("id", KeyType.INTEGER).withRegion(region)));
            }
            cases.add(new Case(
                    name,
                    strategy,
                    "text_places",
                    KeyColumn.of("id", KeyType.TEXT).withRegion("region")));
        });
        return cases;
    }

    private static void add(
            List<Case> cases, String name, ShardingStrategy strategy, String table, KeyType type, String column) {
        cases.add(new Case(name, strategy, table, KeyColumn.of(column, type)));
    }

    /** Strategies that take integers, texts and UUIDs. */
    private Map<String, ShardingStrategy> hashes() {
        HashSlots three = HashSlots.over(shards(1, 1, 1));
        HashSlots weighted = HashSlots.over(shards(1, 2, 5, 3));
        HashSlots fragmented = weighted.withShard(shard(4, 2))
                .withoutShard(id(1))
                .withWeights(Map.of(id(0), 4, id(2), 2))
                .withShard(shard(5, 7))
                .withoutShard(id(0));
        Map<String, ShardingStrategy> hashes = new LinkedHashMap<>();
        hashes.put("one slot owner", HashSlots.over(shards(1)));
        hashes.put("three slots", three);
        hashes.put("weighted slots", weighted);
        hashes.put("slots with one more", three.withShard(shard(3, 1)));
        hashes.put("fragmented slots", fragmented);
        hashes.put("scattered slots", scattered());
        hashes.put("slots of 64", HashSlots.over(equal(64)));
        hashes.put("ring", ConsistentHash.over(shards(1, 1, 1), 150));
        hashes.put("ring of one", ConsistentHash.over(shards(1), 150));
        hashes.put("ring of few points", ConsistentHash.over(shards(1, 1), 1));
        hashes.put(
                "changed ring",
                ConsistentHash.over(shards(1, 2, 3), 40).withShard(shard(3, 2)).withoutShard(id(1)));
        for (int count : new int[] {1, 3}) {
            hashes.put("md5 of " + count, Md5.over(equal(count)));
        }
        return hashes;
    }

    /** Every slot on a shard by chance: about 13 000 runs. */
    private HashSlots scattered() {
        Random chance = new Random(SEED);
        Map<ShardId, Integer> weights = new LinkedHashMap<>();
        IntStream.range(0, 5).forEach(i -> weights.put(id(i), 1));
        return HashSlots.of(
                weights,
                IntStream.range(0, HashSlots.SLOTS)
                        .mapToObj(slot -> id(chance.nextInt(5)))
                        .toList());
    }

    private static Ranges longRanges() {
        return Ranges.fromTheLowest()
                .upTo(ShardKey.of(Long.MIN_VALUE + 1), id(3))
                .upTo(ShardKey.of(-1_000_000_000_000L), id(1))
                .upTo(ShardKey.of(-17), id(0))
                .upTo(ShardKey.of(0), id(1))
                .upTo(ShardKey.of(1_000), id(2))
                .upTo(ShardKey.of(Long.MAX_VALUE), id(0))
                .andAbove(id(1));
    }

    private static Ranges closedRanges() {
        return Ranges.startingAt(ShardKey.of(Long.MIN_VALUE))
                .upTo(ShardKey.of(-5), id(1))
                .upTo(ShardKey.of(1L << 40), id(0))
                .upTo(ShardKey.of(Long.MAX_VALUE), id(1))
                .closed();
    }

    private static Ranges manyRanges() {
        Ranges.Builder builder = Ranges.fromTheLowest();
        for (int i = -2_000; i < 2_000; i++) {
            builder.upTo(ShardKey.of(i * 1_000_000_007L), id(Math.floorMod(i * 31, 3)));
        }
        return builder.andAbove(id(3));
    }

    private Ranges textRanges() {
        TreeSet<String> bounds = new TreeSet<>((a, b) -> KeyOrder.compare(ShardKey.of(a), ShardKey.of(b)));
        bounds.addAll(List.of(
                "A", "Z", "a'b", "a'b''", "a\\", "a\\'b", "a\\\\", "z", "\u00e9", "\uffff", "\ud83d\ude00", "\\x41"));
        for (int i = 0; i < 40; i++) {
            bounds.add(text());
        }
        bounds.remove("");
        Ranges.Builder builder = Ranges.fromTheLowest();
        int next = 0;
        for (String bound : bounds) {
            builder.upTo(ShardKey.of(bound), id(next++ % 4));
        }
        return builder.andAbove(id(1));
    }

    private static Ranges uuidRanges() {
        return Ranges.fromTheLowest()
                .upTo(ShardKey.of(UUID.fromString("00000000-0000-0000-8000-000000000000")), id(0))
                .upTo(ShardKey.of(UUID.fromString("40000000-0000-0000-0000-000000000000")), id(1))
                .upTo(ShardKey.of(UUID.fromString("7fffffff-ffff-ffff-ffff-ffffffffffff")), id(2))
                .upTo(ShardKey.of(UUID.fromString("80000000-0000-0000-7fff-ffffffffffff")), id(3))
                .andAbove(id(0));
    }

    private static Ranges timeRanges() {
        return Ranges.fromTheLowest()
                .upTo(ShardKey.of(Instant.parse("-0043-03-15T12:00:00.000001Z")), id(0))
                .upTo(ShardKey.of(Instant.parse("0000-12-31T23:59:59.999999Z")), id(1))
                .upTo(ShardKey.of(Instant.parse("0001-01-01T00:00:00Z")), id(2))
                .upTo(ShardKey.of(Instant.EPOCH), id(1))
                .upTo(ShardKey.of(Instant.parse("2026-03-29T01:00:00.000001Z")), id(0))
                .upTo(ShardKey.of(Instant.parse("+12026-11-24T08:09:10.1Z")), id(1))
                .andAbove(id(2));
    }

    private Directory directory() {
        Directory directory = Directory.over(HashSlots.over(shards(1, 1, 1)))
                .pin(ShardKey.of(0), id(8))
                .pin(ShardKey.of(Long.MIN_VALUE), id(0))
                .pin(ShardKey.of(Long.MAX_VALUE), id(1))
                .pin(ShardKey.of(""), id(8))
                .pin(ShardKey.of("'"), id(1))
                .pin(ShardKey.of("\\"), id(1))
                .pin(ShardKey.of("'\\\"{},$$?:"), id(0))
                .pin(ShardKey.of("a"), id(2))
                .pin(ShardKey.of("A"), id(0))
                .pin(ShardKey.of("7"), id(0))
                .pin(ShardKey.of(7), id(1))
                .pin(ShardKey.of(new UUID(0, 0)), id(8));
        for (int i = 100; i < 600; i++) {
            directory = directory
                    .pin(keys.get("longs").get(i), id(i % 3))
                    .pin(keys.get("texts").get(i), id(i % 3))
                    .pin(keys.get("uuids").get(i), id(i % 3));
        }
        return directory;
    }

    private static Geographic geographic() {
        Map<String, HashSlots> regions = new LinkedHashMap<>();
        regions.put("eu", HashSlots.over(List.of(shard(0, 1), shard(1, 2))));
        regions.put("EU", HashSlots.over(List.of(shard(2, 1), shard(3, 2), shard(4, 1))));
        regions.put("it's \\ \"here\"", HashSlots.over(List.of(shard(5, 1), shard(6, 1))));
        return Geographic.of(regions);
    }

    /** Pins with a region and pins without, which are of keys that carry none. */
    private Directory regionalDirectory(Geographic geographic) {
        Directory directory = Directory.over(geographic);
        for (String table : List.of("places", "text_places")) {
            for (int i = 0; i < 60; i++) {
                ShardKey key = keys.get(table).get(i);
                ShardKey plain = key instanceof ShardKey.OfRegion located ? located.id() : key;
                if (key != null && plain != null) {
                    directory = i % 2 == 0 ? directory.pin(plain, id(9)) : directory.pin(key, id(i % 5));
                }
            }
        }
        return directory;
    }

    static ShardId id(int index) {
        return ShardId.of("s" + index);
    }

    private static Shard shard(int index, int weight) {
        return Shard.named("s" + index)
                .primary("r2dbc:postgresql://app@db" + index + "/app")
                .weight(weight);
    }

    private static List<Shard> shards(int... weights) {
        return IntStream.range(0, weights.length)
                .mapToObj(i -> shard(i, weights[i]))
                .toList();
    }

    private static List<Shard> equal(int count) {
        return IntStream.range(0, count).mapToObj(i -> shard(i, 1)).toList();
    }

    private <T> List<ShardKey> keys(List<T> special, Function<T, ShardKey> key, Supplier<T> more) {
        List<ShardKey> made = new ArrayList<>();
        made.add(null);
        special.forEach(value -> made.add(key.apply(value)));
        for (int i = 0; i < randomKeys; i++) {
            made.add(key.apply(more.get()));
        }
        return Collections.unmodifiableList(made);
    }

    private List<ShardKey> longs() {
        List<Long> special = new ArrayList<>();
        for (long around :
                new long[] {0, -17, 1_000, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32, -1L << 32, 1L << 40, 1 << 31}) {
            for (int i = -8; i <= 8; i++) {
                special.add(around + i);
            }
        }
        return keys(special, ShardKey::of, () -> random.nextLong() >> random.nextInt(64));
    }

    private List<ShardKey> ints() {
        return keys(
                List.of(0, 1, -1, -17, -18, 1_000, 999, Integer.MIN_VALUE, Integer.MAX_VALUE),
                key -> ShardKey.of(key),
                () -> random.nextInt() >> random.nextInt(32));
    }

    private List<ShardKey> smalls() {
        List<ShardKey> made = new ArrayList<>();
        made.add(null);
        for (int i = Short.MIN_VALUE; i <= Short.MAX_VALUE; i += randomKeys == RANDOM_KEYS ? 1 : 97) {
            made.add(ShardKey.of(i));
        }
        made.add(ShardKey.of(Short.MAX_VALUE));
        return made;
    }

    private List<ShardKey> texts() {
        List<String> special = new ArrayList<>(List.of(
                "",
                " ",
                "  ",
                "a",
                "A",
                "a ",
                "b",
                "B",
                "0",
                "7",
                "-1",
                "NULL",
                "null",
                "'",
                "''",
                "\\",
                "\\\\",
                "\\x41",
                "a'b",
                "a'b''",
                "a\\",
                "a\\'b",
                "a\\\\",
                "'\\\"{},$$?:",
                "\n",
                "\r\n\t\u0001\u007f",
                "%",
                "_",
                // Equal for a collation, or composed and decomposed: other bytes, other keys.
                "\u00e9",
                "e\u0301",
                "\u00c9",
                "E\u0301",
                "\u00df",
                "ss",
                "SS",
                "\u0130",
                "i\u0307",
                "\ufb01",
                "fi",
                "\u00ad",
                "\u200b",
                "\ufeff",
                "\u0080",
                "\u07ff",
                "\u0800",
                "\ud7ff",
                "\ue000",
                "\uffff",
                "\ufffd",
                "\ud83d\ude00",
                "\ud800\udc00",
                "\udbff\udfff",
                "\u6f22\u5b57",
                "\u0627\u0644"));
        for (int length : new int[] {11, 12, 13, 23, 24, 25, 3_000, 4_999, 5_000}) {
            special.add("x".repeat(length));
            special.add("\ud83d\ude00".repeat(length / 2));
        }
        return keys(special, ShardKey::of, this::text);
    }

    private String text() {
        int kind = random.nextInt(100);
        int length = kind == 0 ? random.nextInt(4_000) : kind < 20 ? random.nextInt(4) : random.nextInt(40);
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            int codePoint = kind % 3 == 0
                    ? 1 + random.nextInt(0x10ffff)
                    : kind % 3 == 1 ? 1 + random.nextInt(127) : 1 + random.nextInt(0x7fe);
            if (codePoint < 0xd800 || codePoint > 0xdfff) {
                text.appendCodePoint(codePoint);
            }
        }
        return text.toString();
    }

    private List<ShardKey> uuids() {
        return keys(
                List.of(
                        new UUID(0, 0),
                        new UUID(-1, -1),
                        new UUID(0, Long.MIN_VALUE),
                        new UUID(0, Long.MAX_VALUE),
                        new UUID(Long.MIN_VALUE, 0),
                        new UUID(Long.MIN_VALUE, Long.MAX_VALUE),
                        new UUID(Long.MAX_VALUE, -1)),
                ShardKey::of,
                () -> new UUID(random.nextLong(), random.nextLong()));
    }

    private List<ShardKey> times() {
        List<Instant> special = new ArrayList<>();
        for (String around : List.of(
                "-4712-01-01T00:00:00Z",
                "-0043-03-15T12:00:00.000001Z",
                "-0001-06-01T00:00:00Z",
                "0000-01-01T00:00:00Z",
                "0000-12-31T23:59:59.999999Z",
                "0001-01-01T00:00:00Z",
                "1582-10-10T00:00:00Z",
                "1900-02-28T23:59:59.999999Z",
                "1970-01-01T00:00:00Z",
                "2000-01-01T00:00:00Z",
                "2026-03-29T01:00:00.000001Z",
                "+12026-11-24T08:09:10.1Z",
                "+294276-12-31T23:59:59.999998Z")) {
            for (int i = -1; i <= 1; i++) {
                Instant time = Instant.parse(around).plusNanos(i * 1_000L);
                if (!time.isBefore(Instant.parse("-4712-01-01T00:00:00Z"))) {
                    special.add(time);
                }
            }
        }
        long from = Instant.parse("-4712-01-01T00:00:00Z").getEpochSecond();
        long to = Instant.parse("+294277-01-01T00:00:00Z").getEpochSecond();
        long from2 = Instant.parse("-0100-01-01T00:00:00Z").getEpochSecond();
        long to2 = Instant.parse("2100-01-01T00:00:00Z").getEpochSecond();
        return keys(
                special,
                ShardKey::of,
                () -> Instant.ofEpochSecond(
                        random.nextBoolean() ? random.nextLong(from, to) : random.nextLong(from2, to2),
                        random.nextInt(1_000_000) * 1_000L));
    }

    /** Puts keys into regions that have shards, into others and into none. */
    private List<ShardKey> places(List<ShardKey> ids) {
        List<String> regions = new ArrayList<>(List.of("eu", "EU", "it's \\ \"here\"", "Eu", "", "us", "\u00e9u"));
        regions.add(null);
        List<ShardKey> made = new ArrayList<>();
        for (ShardKey id : ids) {
            String region = regions.get(random.nextInt(regions.size()));
            made.add(id == null || region == null ? id : ShardKey.inRegion(region, id));
        }
        return made;
    }

    /** Makes the tables of all cases. */
    void createTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("create collation if not exists loose"
                    + " (provider = icu, locale = 'und-u-ks-level1', deterministic = false)");
            statement.execute("create table longs (n int, " + INT_COLUMNS + ")");
            statement.execute("create table ints (n int, i integer)");
            statement.execute("create table smalls (n int, s smallint)");
            statement.execute("create table texts (n int, " + TEXT_COLUMNS + ")");
            statement.execute("create table uuids (n int, u uuid)");
            statement.execute("create table times (n int, at timestamptz)");
            statement.execute(
                    "create table places (n int, id bigint, region text, loose_region varchar collate loose)");
            statement.execute("create table text_places (n int, id text, region text)");
        }
    }

    /** Fills the tables of all cases. */
    void insertKeys(Connection connection) throws SQLException {
        for (String table : keys.keySet()) {
            insertKeys(connection, table, "");
        }
    }

    /** Fills one table, with this SQL behind the statement. */
    void insertKeys(Connection connection, String table, String suffix) throws SQLException {
        String unnest =
                switch (table) {
                    case "longs" -> "longs select n, a from unnest(?::int[], ?::bigint[]) as k(n, a)";
                    case "ints" -> "ints select n, a from unnest(?::int[], ?::int[]) as k(n, a)";
                    case "smalls" -> "smalls select n, a from unnest(?::int[], ?::smallint[]) as k(n, a)";
                    case "texts" -> "texts select n, a, a, a, a, a from unnest(?::int[], ?::text[]) as k(n, a)";
                    case "uuids" -> "uuids select n, a from unnest(?::int[], ?::uuid[]) as k(n, a)";
                    case "times" ->
                        "times select n, timestamptz '2000-01-01 00:00:00+00' + make_interval(days => a, secs => b)"
                                + " from unnest(?::int[], ?::int[], ?::float8[]) as k(n, a, b)";
                    case "places" ->
                        "places select n, a, b, b from unnest(?::int[], ?::bigint[], ?::text[]) as k(n, a, b)";
                    default -> "text_places select n, a, b from unnest(?::int[], ?::text[], ?::text[]) as k(n, a, b)";
                };
        List<ShardKey> all = keys.get(table);
        try (Statement utc = connection.createStatement();
                PreparedStatement insert = connection.prepareStatement("insert into " + unnest + suffix)) {
            // A day has 24 hours there.
            utc.execute("set timezone = 'UTC'");
            for (int from = 0; from < all.size(); from += BATCH) {
                List<ShardKey> batch = all.subList(from, Math.min(all.size(), from + BATCH));
                int first = from;
                insert.setArray(
                        1,
                        connection.createArrayOf(
                                "int4",
                                IntStream.range(0, batch.size())
                                        .mapToObj(i -> first + i)
                                        .toArray()));
                if (table.equals("times")) {
                    insert.setArray(2, connection.createArrayOf("int4", map(batch, PredicateCases::day)));
                    insert.setArray(3, connection.createArrayOf("float8", map(batch, PredicateCases::second)));
                } else {
                    insert.setArray(
                            2,
                            connection.createArrayOf(
                                    table.startsWith("text") ? "text" : table.equals("uuids") ? "uuid" : "int8",
                                    map(batch, ShardKey::parameter)));
                }
                if (table.endsWith("places")) {
                    insert.setArray(
                            3,
                            connection.createArrayOf(
                                    "text",
                                    map(batch, key -> key instanceof ShardKey.OfRegion in ? in.region() : null)));
                }
                insert.executeUpdate();
            }
        }
    }

    private static Object[] map(List<ShardKey> keys, Function<ShardKey, Object> value) {
        return keys.stream().map(key -> key == null ? null : value.apply(key)).toArray();
    }

    private static Object day(ShardKey key) {
        return (int) Math.floorDiv(((Instant) key.parameter()).getEpochSecond() - POSTGRES_EPOCH, 86_400L);
    }

    private static Object second(ShardKey key) {
        Instant time = (Instant) key.parameter();
        return Math.floorMod(time.getEpochSecond() - POSTGRES_EPOCH, 86_400L) + time.getNano() / 1e9;
    }

    /** Returns the shard of a key, null if it has none. */
    static ShardId locate(ShardingStrategy strategy, ShardKey key) {
        if (key == null) {
            return null;
        }
        try {
            return strategy.locate(key);
        } catch (UnroutableKeyException e) {
            return null;
        }
    }
}
