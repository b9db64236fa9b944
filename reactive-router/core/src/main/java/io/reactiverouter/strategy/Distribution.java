package io.reactiverouter.strategy;

import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * How a strategy spreads a sample of keys, for the person who chooses one. A key that comes several times counts as often,
 * as the rows of one tenant do.
 *
 * @param keys keys of the sample, those without a shard included
 * @param distinct different keys that have a shard
 * @param nulls keys that were null
 * @param unroutable other keys that have no shard
 * @param shards what each shard gets, in the order of the strategy
 * @param maxOverMean what the fullest shard gets, over the mean; 1 is even
 * @param standardDeviation of the shards' counts, over the mean; 0 is even
 * @param hottest the most frequent keys, most frequent first; at most 10, each of which came more than once
 * @param warnings what speaks against this strategy, or against the key, in sentences
 */
public record Distribution(
        long keys,
        long distinct,
        long nulls,
        long unroutable,
        List<Share> shards,
        double maxOverMean,
        double standardDeviation,
        List<HotKey> hottest,
        List<String> warnings) {

    private static final int HOTTEST = 10;
    private static final double HOT_SHARE = 0.05;
    private static final double UNEVEN = 1.2;
    private static final int DISTINCT_PER_SHARD = 20;
    private static final int SAMPLE_PER_SHARD = 100;

    public Distribution {
        shards = List.copyOf(shards);
        hottest = List.copyOf(hottest);
        warnings = List.copyOf(warnings);
    }

    /**
     * What a shard gets.
     *
     * @param share of all keys that have a shard, 0 to 1
     */
    public record Share(ShardId shard, long count, double share) {}

    /**
     * A frequent key.
     *
     * @param share of all keys that have a shard, 0 to 1
     */
    public record HotKey(ShardKey key, ShardId shard, long count, double share) {}

    /**
     * Places a sample. Memory grows with the number of different keys in it.
     *
     * @param sample keys as they come in a table, perhaps null
     */
    public static Distribution of(ShardingStrategy strategy, Iterable<? extends @Nullable ShardKey> sample) {
        Map<ShardKey, Long> frequencies = new LinkedHashMap<>();
        long keys = 0;
        long nulls = 0;
        for (ShardKey key : sample) {
            keys++;
            if (key == null) {
                nulls++;
            } else {
                frequencies.merge(key, 1L, Long::sum);
            }
        }
        Map<ShardId, Long> counts = new LinkedHashMap<>();
        strategy.shards().forEach(shard -> counts.put(shard, 0L));
        // The least frequent first, so that it makes way for a more frequent one.
        PriorityQueue<HotKey> hottest = new PriorityQueue<>(Comparator.comparingLong(HotKey::count));
        long distinct = 0;
        long routable = 0;
        String reason = "";
        for (Map.Entry<ShardKey, Long> entry : frequencies.entrySet()) {
            ShardId shard;
            try {
                shard = strategy.locate(entry.getKey());
            } catch (UnroutableKeyException e) {
                reason = String.valueOf(e.getMessage());
                continue;
            }
            long count = entry.getValue();
            counts.merge(shard, count, Long::sum);
            distinct++;
            routable += count;
            HotKey least = hottest.peek();
            if (count > 1 && (least == null || hottest.size() < HOTTEST || count > least.count())) {
                hottest.add(new HotKey(entry.getKey(), shard, count, 0));
            }
            if (hottest.size() > HOTTEST) {
                hottest.remove();
            }
        }
        long all = routable;
        List<Share> shares = new ArrayList<>();
        counts.forEach((shard, count) -> shares.add(new Share(shard, count, share(count, all))));
        List<HotKey> descending = hottest.stream()
                .sorted(Comparator.comparingLong(HotKey::count)
                        .reversed()
                        .thenComparing(hot -> hot.key().toString()))
                .map(hot -> new HotKey(hot.key(), hot.shard(), hot.count(), share(hot.count(), all)))
                .toList();
        Distribution found = new Distribution(
                keys,
                distinct,
                nulls,
                keys - nulls - routable,
                shares,
                maxOverMean(shares),
                standardDeviation(shares),
                descending,
                List.of());
        return found.with(found.warnings(reason));
    }

    private static double share(long count, long all) {
        return all == 0 ? 0 : (double) count / all;
    }

    private static double mean(List<Share> shares) {
        return shares.stream().mapToLong(Share::count).average().orElse(0);
    }

    private static double maxOverMean(List<Share> shares) {
        double mean = mean(shares);
        return mean == 0 ? 0 : shares.stream().mapToLong(Share::count).max().orElse(0) / mean;
    }

    private static double standardDeviation(List<Share> shares) {
        double mean = mean(shares);
        if (mean == 0) {
            return 0;
        }
        double variance = shares.stream()
                .mapToDouble(share -> (share.count() - mean) * (share.count() - mean))
                .average()
                .orElse(0);
        return Math.sqrt(variance) / mean;
    }

    private Distribution with(List<String> found) {
        return new Distribution(
                keys, distinct, nulls, unroutable, shards, maxOverMean, standardDeviation, hottest, found);
    }

    private List<String> warnings(String reason) {
        List<String> found = new ArrayList<>();
        if (nulls > 0) {
            found.add(nulls + " of " + keys
                    + " keys are null; rows without a key have no shard: make the column not null");
        }
        if (unroutable > 0) {
            found.add(unroutable + " of " + keys + " keys have no shard, one because: " + reason);
        }
        long routable = keys - nulls - unroutable;
        if (routable == 0) {
            return found;
        }
        boolean few = distinct < (long) DISTINCT_PER_SHARD * shards.size();
        if (few && routable > distinct) {
            found.add(
                    "only " + distinct + " different keys for " + shards.size() + " shards: a key cannot be divided, so"
                            + " shares stay uneven whatever the strategy; choose a key with more values");
        }
        HotKey hot = hottest.isEmpty() ? null : hottest.get(0);
        if (hot != null && distinct > 1 && hot.share() > HOT_SHARE) {
            found.add(percent(hot.share()) + " of the keys with a shard are the one key " + hot.key()
                    + "; a directory can pin it to a shard of its own");
        }
        long empty = shards.stream().filter(share -> share.count() == 0).count();
        if (empty > 0) {
            found.add(empty + " of " + shards.size() + " shards get nothing");
        }
        if (maxOverMean > UNEVEN && shards.size() > 1) {
            found.add("the fullest shard gets " + String.format(Locale.ROOT, "%.2f", maxOverMean) + " times the mean"
                    + (routable < (long) SAMPLE_PER_SHARD * shards.size() ? "; the sample is small" : ""));
        }
        return found;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
