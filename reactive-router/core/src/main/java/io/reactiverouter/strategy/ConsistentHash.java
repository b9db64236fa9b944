package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A hash ring. Each shard has points on it, its virtual nodes, as many as its weight says; a key belongs to the shard of
 * the first point at or above its token, which is the same hash as that of {@link HashSlots}. A point is
 * {@code hashtextextended('name#i', 0)} of the shard's name and the number of the point, so a shard's points depend on
 * nothing but itself: adding a shard takes keys from all others and moves none between them.
 *
 * <p>Shares are as even as the points are many: with 150 of them expect a standard deviation of about 8 %. Where shares
 * must be even, choose {@link HashSlots}. Takes integer, text and UUID keys; locating takes O(log n).
 */
public final class ConsistentHash implements ShardingStrategy {

    /** Virtual nodes for each unit of weight. */
    public static final int DEFAULT_VIRTUAL_NODES = 150;

    private static final int MAX_POINTS = 1 << 20;

    private final Map<ShardId, Integer> weights;
    private final int virtualNodes;
    private final List<ShardId> shards;
    private final long[] points;
    private final ShardId[] owners;

    private ConsistentHash(Map<ShardId, Integer> weights, int virtualNodes, long[] points, ShardId[] owners) {
        this.weights = weights;
        this.virtualNodes = virtualNodes;
        this.shards = List.copyOf(weights.keySet());
        this.points = points;
        this.owners = owners;
    }

    /**
     * Returns a ring over these shards by their weights.
     *
     * @param virtualNodes points for each unit of weight
     * @throws IllegalArgumentException if there is no shard, {@code virtualNodes} is not positive, or the ring would have
     *     more than a million points
     */
    public static ConsistentHash over(List<Shard> shards, int virtualNodes) {
        Map<ShardId, Integer> weights = new LinkedHashMap<>();
        Shard.requireDistinct(shards).forEach(shard -> weights.put(shard.id(), shard.weight()));
        return of(weights, virtualNodes);
    }

    /**
     * Returns a ring over shards with these weights.
     *
     * @param virtualNodes points for each unit of weight
     * @throws IllegalArgumentException as {@link #over} does
     */
    public static ConsistentHash of(Map<ShardId, Integer> weights, int virtualNodes) {
        Owners.requireCount("consistent hash", List.copyOf(weights.keySet()));
        if (virtualNodes < 1) {
            throw new IllegalArgumentException("virtual nodes must be positive, were " + virtualNodes);
        }
        long count = 0;
        for (Map.Entry<ShardId, Integer> weight : weights.entrySet()) {
            Weights.require(weight.getKey(), weight.getValue());
            count += (long) weight.getValue() * virtualNodes;
            if (count > MAX_POINTS) {
                throw new IllegalArgumentException("weights times " + virtualNodes + " virtual nodes make more than "
                        + MAX_POINTS + " points; use smaller weights in the same proportion");
            }
        }
        TreeMap<Long, ShardId> ring = new TreeMap<>();
        weights.forEach((shard, weight) -> {
            for (int i = 0; i < weight * virtualNodes; i++) {
                // Two shards on one point are next to impossible; then the name decides, whatever their order.
                ring.merge(
                        PostgresHash.ofText(shard.value() + "#" + i),
                        shard,
                        (one, other) -> one.value().compareTo(other.value()) <= 0 ? one : other);
            }
        });
        long[] points = new long[ring.size()];
        ShardId[] owners = new ShardId[ring.size()];
        int next = 0;
        for (Map.Entry<Long, ShardId> point : ring.entrySet()) {
            points[next] = point.getKey();
            owners[next++] = point.getValue();
        }
        return new ConsistentHash(
                Collections.unmodifiableMap(new LinkedHashMap<>(weights)), virtualNodes, points, owners);
    }

    @Override
    public ShardId locate(ShardKey key) {
        int index = Arrays.binarySearch(points, HashSlots.token(key));
        if (index < 0) {
            index = -index - 1;
        }
        return owners[index == owners.length ? 0 : index];
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    /** Returns the number of points for each unit of weight. */
    public int virtualNodes() {
        return virtualNodes;
    }

    /** Returns the weight of each shard. */
    public Map<ShardId, Integer> weights() {
        return weights;
    }

    /**
     * Returns a ring with one more shard, which takes its keys from all others.
     *
     * @throws IllegalArgumentException if the shard is there already
     */
    public ConsistentHash withShard(Shard shard) {
        return of(Weights.with(weights, shard), virtualNodes);
    }

    /**
     * Returns a ring without this shard, whose keys go to the others.
     *
     * @throws IllegalArgumentException if it is not there or is the last
     */
    public ConsistentHash withoutShard(ShardId shard) {
        return of(Weights.without(weights, shard), virtualNodes);
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        Owners.indexOf(shards, shard);
        List<Sql.Interval> intervals = new ArrayList<>();
        long from = Long.MIN_VALUE;
        for (int i = 0; i < points.length; i++) {
            add(intervals, from, points[i], owners[i].equals(shard));
            if (points[i] == Long.MAX_VALUE) {
                return HashSlots.tokensWithin(column, intervals);
            }
            from = points[i] + 1;
        }
        add(intervals, from, Long.MAX_VALUE, owners[0].equals(shard));
        return HashSlots.tokensWithin(column, intervals);
    }

    private static void add(List<Sql.Interval> intervals, long from, long to, boolean belongs) {
        if (!belongs) {
            return;
        }
        int last = intervals.size() - 1;
        if (last >= 0 && intervals.get(last).to() + 1 == from) {
            intervals.set(last, new Sql.Interval(intervals.get(last).from(), to));
        } else {
            intervals.add(new Sql.Interval(from, to));
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ConsistentHash ring
                && ring.virtualNodes == virtualNodes
                && ring.weights.equals(weights)
                && ring.shards.equals(shards);
    }

    @Override
    public int hashCode() {
        return 31 * weights.hashCode() + virtualNodes;
    }

    @Override
    public String toString() {
        return "ConsistentHash[" + virtualNodes + " virtual nodes, weights=" + weights + "]";
    }
}
