package io.reactiverouter.strategy;

import java.util.UUID;

/**
 * PostgreSQL's extended hash functions with seed 0, bit for bit, as the server computes them on little-endian machines
 * (source: {@code src/common/hashfn.c} and {@code src/backend/access/hash/hashfunc.c}; the mixing steps are Bob Jenkins'
 * public-domain lookup3).
 */
final class PostgresHash {

    private static final int BLOCK = 12;
    private static final int INITIAL = 0x9e3779b9 + 3923095;

    private PostgresHash() {}

    /** The same as {@code hashint8extended(value, 0)}, and as {@code hashint4extended} for values in its range. */
    static long ofLong(long value) {
        int low = (int) value;
        int high = (int) (value >> 32);
        // Integers of different width that are equal hash alike: the sign extension cancels out.
        low ^= value >= 0 ? high : ~high;
        return new State(Integer.BYTES).finish(low, 0, 0);
    }

    /**
     * The same as {@code hashtextextended(value, 0)} under a deterministic collation, in a UTF-8 database. Encodes the text
     * on the way, without a copy. The text has no lone surrogates.
     */
    static long ofText(String value) {
        int characters = value.length();
        int length = utf8Length(value);
        boolean ascii = length == characters;
        State state = new State(length);
        int next = 0;
        // Bytes of a character that has begun, lowest first, and how many they are.
        int encoded = 0;
        int bytes = 0;
        while (true) {
            // One block of three words.
            int first = 0;
            int second = 0;
            int third = 0;
            int position = 0;
            if (ascii && characters - next >= BLOCK) {
                first = word(value, next);
                second = word(value, next + 4);
                third = word(value, next + 8);
                next += BLOCK;
                position = BLOCK;
            }
            while (position < BLOCK && (bytes > 0 || next < characters)) {
                if (bytes == 0) {
                    int point = value.codePointAt(next);
                    next += Character.charCount(point);
                    encoded = utf8(point);
                    bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
                }
                int octet = (encoded & 0xff) << (8 * (position & 3));
                encoded >>>= 8;
                bytes--;
                if (position < 4) {
                    first |= octet;
                } else if (position < 8) {
                    second |= octet;
                } else {
                    third |= octet;
                }
                position++;
            }
            if (position < BLOCK) {
                // In the last block the lowest byte of the third word belongs to the length.
                return state.finish(first, second, third << 8);
            }
            state.mix(first, second, third);
        }
    }

    /** Four ASCII characters. */
    private static int word(String value, int i) {
        return value.charAt(i) | (value.charAt(i + 1) << 8) | (value.charAt(i + 2) << 16) | (value.charAt(i + 3) << 24);
    }

    /** The bytes of a character, the first of them lowest. */
    private static int utf8(int point) {
        if (point < 0x80) {
            return point;
        }
        if (point < 0x800) {
            return (0xc0 | (point >> 6)) | ((0x80 | (point & 0x3f)) << 8);
        }
        if (point < 0x10000) {
            return (0xe0 | (point >> 12)) | ((0x80 | ((point >> 6) & 0x3f)) << 8) | ((0x80 | (point & 0x3f)) << 16);
        }
        return (0xf0 | (point >> 18))
                | ((0x80 | ((point >> 12) & 0x3f)) << 8)
                | ((0x80 | ((point >> 6) & 0x3f)) << 16)
                | ((0x80 | (point & 0x3f)) << 24);
    }

    private static int utf8Length(String value) {
        int length = value.length();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c >= 0x80) {
                // Half of a surrogate pair is half of four bytes.
                length += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
            }
        }
        return length;
    }

    /** The same as {@code uuid_hash_extended(value, 0)}. */
    static long ofUuid(UUID value) {
        long high = value.getMostSignificantBits();
        long low = value.getLeastSignificantBits();
        State state = new State(2 * Long.BYTES);
        state.mix(
                Integer.reverseBytes((int) (high >>> 32)), Integer.reverseBytes((int) high), Integer.reverseBytes((int)
                        (low >>> 32)));
        return state.finish(Integer.reverseBytes((int) low), 0, 0);
    }

    /** The three words that everything is mixed into. Never leaves its method, so that it costs no allocation. */
    private static final class State {

        private int a;
        private int b;
        private int c;

        State(int length) {
            a = INITIAL + length;
            b = a;
            c = a;
        }

        void mix(int first, int second, int third) {
            a += first;
            b += second;
            c += third;
            a -= c;
            a ^= Integer.rotateLeft(c, 4);
            c += b;
            b -= a;
            b ^= Integer.rotateLeft(a, 6);
            a += c;
            c -= b;
            c ^= Integer.rotateLeft(b, 8);
            b += a;
            a -= c;
            a ^= Integer.rotateLeft(c, 16);
            c += b;
            b -= a;
            b ^= Integer.rotateLeft(a, 19);
            a += c;
            c -= b;
            c ^= Integer.rotateLeft(b, 4);
            b += a;
        }

        long finish(int first, int second, int third) {
            a += first;
            b += second;
            c += third;
            c ^= b;
            c -= Integer.rotateLeft(b, 14);
            a ^= c;
            a -= Integer.rotateLeft(c, 11);
            b ^= a;
            b -= Integer.rotateLeft(a, 25);
            c ^= b;
            c -= Integer.rotateLeft(b, 16);
            a ^= c;
            a -= Integer.rotateLeft(c, 4);
            b ^= a;
            b -= Integer.rotateLeft(a, 14);
            c ^= b;
            c -= Integer.rotateLeft(b, 24);
            return ((long) b << 32) | (c & 0xffffffffL);
        }
    }
}
