package io.reactiverouter.strategy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

    /** The same as {@code hashtextextended(value, 0)} under a deterministic collation, in a UTF-8 database. */
    static long ofText(String value) {
        return ofBytes(value.getBytes(StandardCharsets.UTF_8));
    }

    /** The same as {@code uuid_hash_extended(value, 0)}. */
    static long ofUuid(UUID value) {
        return ofBytes(ByteBuffer.allocate(16)
                .putLong(value.getMostSignificantBits())
                .putLong(value.getLeastSignificantBits())
                .array());
    }

    static long ofBytes(byte[] key) {
        int a = INITIAL + key.length;
        int b = a;
        int c = a;
        int i = 0;
        for (int left = key.length; left >= 12; left -= 12, i += 12) {
            a += word(key, i);
            b += word(key, i + 4);
            c += word(key, i + 8);
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
        for (int j = 0; i < key.length; i++, j++) {
            int octet = key[i] & 0xff;
            if (j < 4) {
                a += octet << (8 * j);
            } else if (j < 8) {
                b += octet << (8 * (j - 4));
            } else {
                // The lowest byte of c belongs to the length.
                c += octet << (8 * (j - 7));
            }
        }
        return finish(a, b, c);
    }

    private static int word(byte[] key, int i) {
        return (key[i] & 0xff) | ((key[i + 1] & 0xff) << 8) | ((key[i + 2] & 0xff) << 16) | ((key[i + 3] & 0xff) << 24);
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
