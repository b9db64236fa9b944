package io.reactiverouter.strategy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;

/**
 * The file of golden keys: type, key, token and slot in columns with tabs between them. In texts, all but printable ASCII
 * and the backslash are written as Java escapes.
 */
@NullUnmarked
final class GoldenFile {

    static final String NAME = "golden-keys.tsv";
    static final String HEADER = "type\tkey\ttoken\tslot";

    private GoldenFile() {}

    record Line(ShardKey key, long token, int slot) {

        @Override
        public String toString() {
            return type(key) + "\t" + escaped(key) + "\t" + token + "\t" + slot;
        }
    }

    static String text() throws IOException {
        try (InputStream file = GoldenFile.class.getResourceAsStream(NAME)) {
            return file == null ? "" : new String(file.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    static List<Line> read() throws IOException {
        List<Line> lines = new ArrayList<>();
        for (String line : text().lines().skip(1).toList()) {
            String[] columns = line.split("\t", -1);
            lines.add(new Line(key(columns[0], columns[1]), Long.parseLong(columns[2]), Integer.parseInt(columns[3])));
        }
        return lines;
    }

    private static ShardKey key(String type, String key) {
        return switch (type) {
            case "bigint" -> ShardKey.of(Long.parseLong(key));
            case "text" -> ShardKey.of(unescape(key));
            case "uuid" -> ShardKey.of(UUID.fromString(key));
            default -> throw new IllegalArgumentException(type);
        };
    }

    static String type(ShardKey key) {
        return switch (KeyType.of(key)) {
            case INTEGER -> "bigint";
            case TEXT -> "text";
            case UUID -> "uuid";
            case TIMESTAMP -> throw new IllegalArgumentException("timestamps are not hashed");
        };
    }

    private static String escaped(ShardKey key) {
        StringBuilder escaped = new StringBuilder();
        for (char c : key.parameter().toString().toCharArray()) {
            if (c < ' ' || c > '~' || c == '\\') {
                escaped.append(String.format("\\u%04x", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    private static String unescape(String text) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                plain.append((char) Integer.parseInt(text.substring(i + 2, i + 6), 16));
                i += 5;
            } else {
                plain.append(text.charAt(i));
            }
        }
        return plain.toString();
    }
}
