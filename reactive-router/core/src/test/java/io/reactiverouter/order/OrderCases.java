package io.reactiverouter.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Values of each type: those that sort in surprising ways, and random ones. */
final class OrderCases {

    /** Of all random values. */
    static final long SEED = 20_261_122L;

    private static final int RANDOM_VALUES = 60;
    private static final String MOOD = "'glad', 'sad', 'Angry', 'it''s \"so-so\"', '\u00e4rgerlich'";

    /** Types that are made for the cases. */
    static final String TYPES = "create type \"Mood\" as enum (" + MOOD + ");"
            + " alter type \"Mood\" add value 'merry' before 'sad';"
            + " alter type \"Mood\" add value 'calm' before 'merry';"
            + " create domain feeling as \"Mood\";"
            + " create domain title as text collate \"C\";"
            + " create domain amount as numeric;"
            + " create domain price as amount check (value is null or value = value)";

    private OrderCases() {}

    /**
     * A column of one type.
     *
     * @param type the declared type
     * @param values in text form, null included
     */
    record Case(String table, String type, List<@Nullable String> values) {

        boolean isText() {
            return type.matches("(text|varchar|char|name|title).*");
        }

        /** What the server compares. */
        String sql(String alias) {
            if (type.equals("feeling")) {
                return alias + ".v::\"Mood\"";
            }
            return isText() ? alias + ".v collate \"C\"" : alias + ".v";
        }

        @Override
        public String toString() {
            return type;
        }
    }

    static List<Case> all() {
        List<Case> cases = new ArrayList<>();
        add(cases, "smallint", "0 1 -1 32767 -32768", random -> "" + (short) random.nextInt());
        add(cases, "integer", "0 1 -1 9 10 2147483647 -2147483648", random -> "" + random.nextInt());
        add(
                cases,
                "bigint",
                "0 1 -1 9 10 9223372036854775807 -9223372036854775808 999999999999999999 -99999999999999999"
                        + " 1000000000000000000",
                random -> "" + (random.nextLong() >> random.nextInt(64)));
        add(cases, "oid", "0 1 2147483647 2147483648 4294967295", random -> "" + (random.nextInt() & 0xffff_ffffL));
        String decimals =
                "0 0.0 -0.0 1 1.0 1.00 -1 0.1 0.10 10 9999 10000 10001 99999999 100000000 NaN Infinity -Infinity"
                        + " 123456789012345678 1234567890123456789 12345678901234567890123456789.123456789"
                        + " 0.00001 -0.00001 0.000010000 1e-16383 1e131071 -1e131071 1e-20 3e-20 10000.0001 10000.00010";
        add(cases, "numeric", decimals, OrderCases::decimal);
        add(cases, "numeric(12,3)", "0 1 1.0 1.5 -1.5 NaN 999999999.999", random -> "" + random.nextInt(2_000) / 8.0);
        add(cases, "price", decimals, OrderCases::decimal);
        add(
                cases,
                "real",
                "0 -0 1 -1 NaN Infinity -Infinity 3.4028235e38 -3.4028235e38 1e-45 1.17549435e-38 0.1 16777216 16777217",
                random -> Float.toString(Float.intBitsToFloat(random.nextInt())));
        add(
                cases,
                "double precision",
                "0 -0 1 -1 NaN Infinity -Infinity 1.7976931348623157e308 -1.7976931348623157e308 4.9e-324 0.1"
                        + " 0.30000000000000004 0.3 9007199254740993",
                random -> Double.toString(Double.longBitsToDouble(random.nextLong())));
        add(cases, "boolean", "t f", random -> random.nextBoolean() ? "t" : "f");
        for (String type : List.of("text", "varchar(60)", "char(60)", "char(1)", "name", "title")) {
            List<@Nullable String> texts = new ArrayList<>(Arrays.asList(
                    "",
                    " ",
                    "a",
                    "a ",
                    "a  ",
                    "a\t",
                    "a\u0001",
                    "A",
                    "b",
                    "B",
                    "aa",
                    "\u00e4",
                    "z",
                    "\uffff",
                    "\ufffd",
                    "\ue000",
                    "\ud7ff",
                    "\ud83d\ude00",
                    "\ud800\udc00",
                    "\udbff\udfff",
                    "a\ud83d\ude00",
                    "a\uffff",
                    "\\x41",
                    "e\u0301",
                    "\u00e9",
                    null));
            int longest = type.equals("char(1)") ? 1 : 12;
            add(cases, type, texts, random -> text(random, longest));
        }
        add(
                cases,
                "uuid",
                "00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff"
                        + " 7fffffff-ffff-ffff-ffff-ffffffffffff 80000000-0000-0000-0000-000000000000"
                        + " 00000000-0000-0000-7fff-ffffffffffff 00000000-0000-0000-8000-000000000000",
                random -> new UUID(random.nextLong() >> random.nextInt(64), random.nextLong()).toString());
        add(
                cases,
                "bytea",
                "\\x \\x00 \\x0000 \\x7f \\x80 \\xff \\xff00 \\x5c \\x5c78 \\x5c5c \\x61 \\x6162 \\x27 \\x20",
                random -> "\\x"
                        + "%02x%02x%02x"
                                .formatted(random.nextInt(256), random.nextInt(3), random.nextInt(256))
                                .substring(0, 2 * random.nextInt(4)));
        add(
                cases,
                "date",
                List.of(
                        "infinity",
                        "-infinity",
                        "4714-11-24 BC",
                        "0001-12-31 BC",
                        "0005-02-29 BC",
                        "0001-01-01",
                        "9999-12-31",
                        "10000-01-01",
                        "5874897-12-31",
                        "2000-02-29",
                        "1999-12-31"),
                random -> date(random, 5_800_000, ""));
        add(
                cases,
                "time",
                List.of("00:00:00", "24:00:00", "23:59:59.999999", "23:59:59.9", "12:00", "12:00:00.000001"),
                OrderCases::time);
        List<String> times = List.of(
                "infinity",
                "-infinity",
                "4714-11-24 00:00:00 BC",
                "0001-12-31 23:59:59.999999 BC",
                "0001-01-01",
                "294276-12-31 23:59:59.999999",
                "1970-01-01",
                "2000-01-01",
                "1999-12-31 23:59:59.999999",
                "1883-11-18 12:00",
                "1900-01-01 00:00:00",
                "10000-01-01",
                "2026-11-21 11:14:44.5",
                "2026-11-21 11:14:44.50");
        for (String type : List.of("timestamp", "timestamptz")) {
            String zone = type.equals("timestamptz") ? " UTC" : "";
            add(
                    cases,
                    type,
                    times.stream()
                            .map(time -> time.endsWith("BC")
                                    ? time.replace(" BC", zone + " BC")
                                    : time.contains(":") ? time + zone : time)
                            .toList(),
                    random -> date(random, 290_000, " " + time(random) + zone));
        }
        add(
                cases,
                "interval",
                List.of(
                        "0",
                        "1 month",
                        "30 days",
                        "720 hours",
                        "29 days 24:00:00",
                        "1 month -1 day",
                        "29 days",
                        "-1 month",
                        "-30 days",
                        "-720 hours",
                        "1 year",
                        "12 months",
                        "360 days",
                        "365 days",
                        "1 day -00:00:00.000001",
                        "23:59:59.999999",
                        "-1 year +2 mons -3 days +04:05:06.7",
                        "infinity",
                        "-infinity",
                        "2147483647 mons 2147483647 days 2562047788:00:54.775806",
                        "-2147483648 mons -2147483648 days -2562047788:00:54.775807",
                        "2147483647 mons",
                        "-2147483648 mons",
                        "2147483647 days",
                        "2562047788:00:54.775807",
                        "-2147483648 mons 2147483647 days"),
                random -> random.nextInt(40) - 20 + " mons " + (random.nextInt(1_200) - 600) + " days "
                        + (random.nextInt(2_000) - 1_000) + " hours " + random.nextInt(3) + " microseconds");
        for (String type : List.of("\"Mood\"", "feeling")) {
            List<String> labels = List.of("glad", "calm", "merry", "sad", "Angry", "it's \"so-so\"", "\u00e4rgerlich");
            add(cases, type, labels, random -> labels.get(random.nextInt(labels.size())));
        }
        return cases;
    }

    private static void add(List<Case> cases, String type, String values, Function<Random, String> random) {
        add(cases, type, Arrays.asList(values.split(" ")), random);
    }

    private static void add(
            List<Case> cases, String type, List<? extends @Nullable String> values, Function<Random, String> next) {
        Random random = new Random(SEED + cases.size());
        List<@Nullable String> all = new ArrayList<>(values);
        all.add(null);
        all.add(null);
        IntStream.range(0, RANDOM_VALUES).forEach(i -> all.add(next.apply(random)));
        cases.add(new Case("order_" + cases.size(), type, all));
    }

    private static String decimal(Random random) {
        StringBuilder text = new StringBuilder(random.nextBoolean() ? "-" : "");
        for (int i = random.nextInt(30); i >= 0; i--) {
            text.append(random.nextInt(3) == 0 ? 0 : random.nextInt(10));
        }
        if (random.nextBoolean()) {
            text.append('.');
            for (int i = random.nextInt(30); i >= 0; i--) {
                text.append(random.nextInt(3) == 0 ? 0 : random.nextInt(10));
            }
        }
        return text.toString();
    }

    private static String text(Random random, int longest) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(longest + 1); i > 0; i--) {
            int codePoint =
                    switch (random.nextInt(4)) {
                        case 0 -> 'a' + random.nextInt(3);
                        case 1 -> ' ' + random.nextInt(90);
                        case 2 -> 0xe000 + random.nextInt(0x1fff);
                        default -> 0x10000 + random.nextInt(0xfffff);
                    };
            text.appendCodePoint(codePoint);
        }
        return text.toString();
    }

    /** Returns a date, some before Christ, where the calendar begins in 4714. */
    private static String date(Random random, int lastYear, String time) {
        boolean bc = random.nextInt(4) == 0;
        int year = 1 + random.nextInt(bc || random.nextBoolean() ? 4_700 : lastYear);
        return String.format(Locale.ROOT, "%04d-", year) + two(1, 12, random) + "-" + two(1, 28, random) + time
                + (bc ? " BC" : "");
    }

    private static String two(int from, int to, Random random) {
        return String.format(Locale.ROOT, "%02d", from + random.nextInt(to - from + 1));
    }

    private static String time(Random random) {
        String time = two(0, 23, random) + ":" + two(0, 59, random) + ":" + two(0, 59, random);
        return switch (random.nextInt(3)) {
            case 0 -> time;
            case 1 -> time + "." + random.nextInt(10);
            default -> time + String.format(Locale.ROOT, ".%06d", random.nextInt(1_000_000));
        };
    }
}
