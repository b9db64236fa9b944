package io.reactiverouter.routing;

import io.reactiverouter.topology.ShardId;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * What somebody has written, as the position in the write-ahead log of each shard, so that reads from replicas show it. Put into
 * the Reactor context ({@link #context()}), it is told the position by each call that may have written, which costs that call one
 * round trip, and asked by each read from a replica. {@link #token()} carries it to the next request, as in an HTTP header or
 * a cookie. Thread-safe.
 *
 * <p>Calls without a {@link io.reactiverouter.topology.ReadPreference} may have written: an error or a cancel of one leaves open
 * where, and reads of its shard then go to the primary for good. Whoever only reads should say so. A position carries no timeline:
 * between a promotion and the probe by which an instance learns of it, a replica there that has followed the former primary
 * further than the new one has can pass for having applied it.
 *
 * <p>A token is not signed: a client that makes one up reads from primaries, and waits a moment before.
 */
public final class ReadYourWrites {

    /** Stands for a write of which nobody knows where it is: only the primary has it for certain. */
    public static final long UNKNOWN = Long.MAX_VALUE;

    private static final int MAX_LENGTH = 65_536;
    private static final Pattern POSITION = Pattern.compile("([A-Za-z0-9_-]{1,63}):([0-9a-f]{1,16})");

    private final Map<ShardId, Long> positions = new ConcurrentHashMap<>();

    private ReadYourWrites() {}

    /** Starts with nothing written. */
    public static ReadYourWrites begin() {
        return new ReadYourWrites();
    }

    /**
     * Goes on where a {@link #token()} was made; an empty one starts with nothing written.
     *
     * @throws IllegalArgumentException if the text is no token
     */
    public static ReadYourWrites of(String token) {
        ReadYourWrites found = new ReadYourWrites();
        if (token.isEmpty()) {
            return found;
        }
        if (token.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "a token has at most " + MAX_LENGTH + " characters, this one has " + token.length());
        }
        for (String part : token.split("\\.", -1)) {
            Matcher matcher = POSITION.matcher(part);
            if (!matcher.matches()) {
                throw new IllegalArgumentException("\"" + part
                        + "\" is no part of a read-your-writes token; pass on what token() gave, unchanged");
            }
            found.wrote(ShardId.of(matcher.group(1)), Long.parseUnsignedLong(matcher.group(2), 16) & Long.MAX_VALUE);
        }
        return found;
    }

    /** Returns what a context carries, null if it carries none. */
    public static @Nullable ReadYourWrites of(ContextView context) {
        return context.getOrDefault(ReadYourWrites.class, null);
    }

    /** Returns what puts this into a context: {@code mono.contextWrite(writes.context())}. */
    public Function<Context, Context> context() {
        return context -> context.put(ReadYourWrites.class, this);
    }

    /** Notes that all up to this position of a shard's log must be seen by reads from now on. */
    public void wrote(ShardId shard, long position) {
        positions.merge(shard, position, Math::max);
    }

    /** Notes a write that may have taken effect, nobody knows where: reads of the shard go to its primary from now on. */
    public void wroteSomewhere(ShardId shard) {
        positions.put(shard, UNKNOWN);
    }

    /** Returns what reads of a shard must have seen; 0 for nothing. */
    public long position(ShardId shard) {
        return positions.getOrDefault(shard, 0L);
    }

    /** Says whether only the primary will do. */
    public boolean needsPrimary(ShardId shard) {
        return position(shard) == UNKNOWN;
    }

    /** Returns a text of ASCII letters, digits and {@code . : - _} that {@link #of(String)} reads; empty if nothing was written. */
    public String token() {
        return new TreeMap<>(positions)
                .entrySet().stream()
                        .map(entry -> entry.getKey() + ":" + Long.toHexString(entry.getValue()))
                        .collect(Collectors.joining("."));
    }

    @Override
    public String toString() {
        return "ReadYourWrites[" + token() + "]";
    }
}
