package io.reactiverouter.topology;

import java.io.Serializable;
import java.util.regex.Pattern;

/**
 * The name of a shard: unique in its cluster, safe to print, to use as a metric tag and in a URL.
 *
 * @param value 1 to 63 characters: letters, digits, {@code -} and {@code _}, the first a letter or digit
 */
public record ShardId(String value) implements Comparable<ShardId>, Serializable {

    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,62}");

    public ShardId {
        if (!ALLOWED.matcher(value).matches()) {
            throw new IllegalArgumentException("shard name must be 1 to 63 letters, digits, '-' or '_', starting with a"
                    + " letter or digit, was \"" + value + "\"");
        }
    }

    /** Returns the id of the shard with this name; the same as the constructor, shorter in a static import. */
    public static ShardId of(String value) {
        return new ShardId(value);
    }

    @Override
    public int compareTo(ShardId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
