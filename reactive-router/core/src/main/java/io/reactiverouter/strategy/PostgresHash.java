package io.reactiverouter.strategy;

import java.util.UUID;

/**
 * PostgreSQL's extended hash functions with seed 0, bit for bit, as the server computes them on little-endian machines
 * (source: {@code src/common/hashfn.c} and {@code src/backend/access/hash/hashfunc.c}; the mixing steps are Bob Jenkins'
 * public-domain lookup3).
 */
final class PostgresHash {

    private static final int INITIAL = 0x9e3779b9 + 3923095;

    private PostgresHash() {}

    /** The same as {@code hashint8extended(value, 0)}, and as {@code hashint4extended} for values in its range. */
    static long ofLong(long value) {
        int low = (int) value;
        int high = (int) (value >> 32);
        // Integers of different width that are equal hash alike: the sign extension cancels out.
        low ^= value >= 0 ? high : ~high;
        int c = INITIAL + 4;
        return finish(c + low, c, c);
    }

    /**
     * The same as {@code hashtextextended(value, 0)} under a deterministic collation, in a UTF-8 database. Encodes the text
     * on the way, without a copy. The text has no lone surrogates.
     */
    static long ofText(String value) {
        int length = utf8Length(value);
        int a = INITIAL + length;
        int b = a;
        int c = a;
        // Bytes come into one of three words; each full block of three is mixed.
        int first = 0;
        int second = 0;
        int word = 0;
        int position = 0;
        for (int i = 0; i < value.length(); i++) {
            int encoded = value.charAt(i);
            int bytes = 1;
            if (encoded >= 0x80) {
                if (encoded < 0x800) {
                    encoded = (0xc0 | (encoded >> 6)) | ((0x80 | (encoded & 0x3f)) << 8);
                    bytes = 2;
                } else if (!Character.isSurrogate((char) encoded)) {
                    encoded = (0xe0 | (encoded >> 12))
                            | ((0x80 | ((encoded >> 6) & 0x3f)) << 8)
                            | ((0x80 | (encoded & 0x3f)) << 16);
                    bytes = 3;
                } else {
                    int point = value.codePointAt(i++);
                    encoded = (0xf0 | (point >> 18))
                            | ((0x80 | ((point >> 12) & 0x3f)) << 8)
                            | ((0x80 | ((point >> 6) & 0x3f)) << 16)
                            | ((0x80 | (point & 0x3f)) << 24);
                    bytes = 4;
                }
            }
            for (int left = bytes; left > 0; left--) {
                word |= (encoded & 0xff) << (8 * (position & 3));
                encoded >>>= 8;
                position++;
                if (position == 4) {
                    first = word;
                    word = 0;
                } else if (position == 8) {
                    second = word;
                    word = 0;
                } else if (position == 12) {
                    a += first;
                    b += second;
                    c += word;
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
                    first = 0;
                    second = 0;
                    word = 0;
                    position = 0;
                }
            }
        }
        if (position < 4) {
            return finish(a + word, b, c);
        }
        // The lowest byte of c belongs to the length.
        return position < 8 ? finish(a + first, b + word, c) : finish(a + first, b + second, c + (word << 8));
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
        int a = INITIAL + 16;
        int b = a;
        int c = a;
        a += Integer.reverseBytes((int) (value.getMostSignificantBits() >>> 32));
        b += Integer.reverseBytes((int) value.getMostSignificantBits());
        c += Integer.reverseBytes((int) (value.getLeastSignificantBits() >>> 32));
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
        return finish(a + Integer.reverseBytes((int) value.getLeastSignificantBits()), b, c);
    }

    private static long finish(int a, int b, int c) {
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
