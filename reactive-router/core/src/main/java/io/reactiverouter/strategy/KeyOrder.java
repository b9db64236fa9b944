package io.reactiverouter.strategy;

import java.util.UUID;

/** The order that PostgreSQL gives keys of one type: texts under the collation {@code "C"}, UUIDs by their bytes. */
final class KeyOrder {

    private KeyOrder() {}

    /**
     * Compares two keys.
     *
     * @throws UnroutableKeyException if they are of different types, or of one that has no order
     */
    static int compare(ShardKey left, ShardKey right) {
        if (left instanceof ShardKey.OfLong a && right instanceof ShardKey.OfLong b) {
            return Long.compare(a.value(), b.value());
        }
        if (left instanceof ShardKey.OfText a && right instanceof ShardKey.OfText b) {
            return compare(a.value(), b.value());
        }
        if (left instanceof ShardKey.OfUuid a && right instanceof ShardKey.OfUuid b) {
            return compare(a.value(), b.value());
        }
        if (left instanceof ShardKey.OfTimestamp a && right instanceof ShardKey.OfTimestamp b) {
            return a.value().compareTo(b.value());
        }
        throw new UnroutableKeyException("key " + left + " has no order beside " + right
                + "; the keys of a range must all be integers, texts, UUIDs or timestamps");
    }

    /** Says whether {@code key} is of the kind of the two others, in their region if they have one, and between them. */
    static boolean isBetween(ShardKey from, ShardKey key, ShardKey to) {
        if (from instanceof ShardKey.OfRegion low && to instanceof ShardKey.OfRegion high) {
            return key instanceof ShardKey.OfRegion located
                    && located.region().equals(low.region())
                    && isBetween(low.id(), located.id(), high.id());
        }
        return key.getClass() == from.getClass() && compare(from, key) <= 0 && compare(key, to) <= 0;
    }

    static void requireOrdered(ShardKey from, ShardKey to) {
        if (compare(from, to) > 0) {
            throw new UnroutableKeyException("the range from " + from + " to " + to + " is upside down; swap its ends");
        }
    }

    /** By code points, which is the order of their UTF-8 bytes; UTF-16 units are in another order. */
    private static int compare(String left, String right) {
        int length = Math.min(left.length(), right.length());
        for (int i = 0; i < length; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                // Surrogates stand for code points above all other characters.
                boolean surrogateA = Character.isSurrogate(a);
                boolean surrogateB = Character.isSurrogate(b);
                return surrogateA == surrogateB ? Character.compare(a, b) : surrogateA ? 1 : -1;
            }
        }
        return Integer.compare(left.length(), right.length());
    }

    private static int compare(UUID left, UUID right) {
        int high = Long.compareUnsigned(left.getMostSignificantBits(), right.getMostSignificantBits());
        return high != 0 ? high : Long.compareUnsigned(left.getLeastSignificantBits(), right.getLeastSignificantBits());
    }
}
