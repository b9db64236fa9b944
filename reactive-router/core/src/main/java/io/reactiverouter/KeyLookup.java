package io.reactiverouter;

import io.r2dbc.spi.Row;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.Subquery;
import io.reactiverouter.routing.Route;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What each shard is asked in a lookup by keys: its own keys, as one more parameter.
 *
 * @param keys for each shard its keys, as an array that the driver can encode
 * @param positions for each shard where its keys were in the caller's list; null if their order does not count
 * @param keyColumn the quoted column of the keys
 */
record KeyLookup(Map<ShardId, Object[]> keys, @Nullable Map<ShardId, Object[]> positions, String keyColumn) {

    private static final String POSITION = "reactive_router_position";

    /** The order of a lookup that keeps the order of the keys. */
    static final SortKey ORDER = SortKey.asc(POSITION);

    /**
     * Does nothing if the keys are of one type.
     *
     * @throws IllegalArgumentException if they are not
     */
    static void requireOneType(List<ShardKey> keys) {
        Class<?> type = value(keys.get(0)).getClass();
        for (ShardKey key : keys) {
            Class<?> other = value(key).getClass();
            if (other != type) {
                throw new IllegalArgumentException("keys of one lookup must be of one type, but were "
                        + type.getSimpleName() + " and " + other.getSimpleName());
            }
        }
    }

    /** Returns the lookup of {@code all}, which are of one type, and which {@code route} has grouped by shard. */
    static KeyLookup of(List<ShardKey> all, Route.Several route, String keyColumn, boolean ordered) {
        Map<ShardId, Object[]> keys = new HashMap<>();
        Class<?> type = value(all.get(0)).getClass();
        route.keysByShard().forEach((shard, own) -> keys.put(shard, array(own, type)));
        return new KeyLookup(Map.copyOf(keys), ordered ? positions(all, route) : null, keyColumn);
    }

    private static Map<ShardId, Object[]> positions(List<ShardKey> all, Route.Several route) {
        Map<ShardKey, ShardId> shards = new HashMap<>();
        route.keysByShard().forEach((shard, own) -> own.forEach(key -> shards.put(key, shard)));
        Map<ShardId, List<Long>> positions = new HashMap<>();
        for (int i = 0; i < all.size(); i++) {
            positions
                    .computeIfAbsent(Objects.requireNonNull(shards.get(all.get(i))), added -> new ArrayList<>())
                    .add((long) i);
        }
        Map<ShardId, Object[]> arrays = new HashMap<>();
        positions.forEach((shard, own) -> arrays.put(shard, own.toArray(Long[]::new)));
        return arrays;
    }

    private static Object[] array(List<? extends ShardKey> keys, Class<?> type) {
        return keys.stream().map(KeyLookup::value).toArray(arrayOf(type));
    }

    private static IntFunction<Object[]> arrayOf(Class<?> type) {
        if (type == Long.class) {
            return Long[]::new;
        }
        if (type == String.class) {
            return String[]::new;
        }
        return type == UUID.class ? UUID[]::new : OffsetDateTime[]::new;
    }

    private static Object value(ShardKey key) {
        if (key instanceof ShardKey.OfLong number) {
            return number.value();
        }
        if (key instanceof ShardKey.OfText text) {
            return text.value();
        }
        if (key instanceof ShardKey.OfUuid uuid) {
            return uuid.value();
        }
        if (key instanceof ShardKey.OfTimestamp timestamp) {
            return timestamp.value().atOffset(ZoneOffset.UTC);
        }
        if (key instanceof ShardKey.OfRegion inRegion) {
            return value(inRegion.id());
        }
        throw new IllegalArgumentException("key " + key + " cannot be looked up");
    }

    /** Returns the query with the parameters that each shard gets. */
    <T> MappedQuery<T> mapped(Query query, Function<? super Row, ? extends T> mapper) {
        Map<ShardId, Object[]> places = positions;
        if (places == null) {
            return new MappedQuery<>(query, shard -> query.with((Object) of(keys, shard)), mapper);
        }
        int first = query.parameters().length + 1;
        String sql = "select q.*, k." + POSITION + " from " + Subquery.of(query.sql()) + " q join unnest($" + first
                + ", $" + (first + 1) + ") k (key, " + POSITION + ") on q." + keyColumn + " = k.key order by k."
                + POSITION;
        return new MappedQuery<>(
                query.rewritten(sql, query.parameters()),
                shard -> query.with(of(keys, shard), of(places, shard)),
                mapper);
    }

    private static Object[] of(Map<ShardId, Object[]> arrays, ShardId shard) {
        return Objects.requireNonNull(arrays.get(shard));
    }
}
