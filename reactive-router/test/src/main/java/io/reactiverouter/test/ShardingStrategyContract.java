package io.reactiverouter.test;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What every sharding strategy must hold, as tests. A test class of a strategy implements this interface and runs them:
 *
 * <pre>{@code
 * class ByCountryTests implements ShardingStrategyContract<ShardKey, ShardId> {
 *
 *     public Layout<ShardKey, ShardId> layout() {
 *         ShardingStrategy strategy = new ByCountry(...);
 *         return new Layout<>(strategy::locate, strategy.shards());
 *     }
 *
 *     public List<ShardKey> keys() {
 *         return List.of(ShardKey.of("de"), ShardKey.of("fr"), ...);
 *     }
 * }
 * }</pre>
 *
 * @param <K> type of a sharding key
 * @param <S> type of a shard's name
 */
public interface ShardingStrategyContract<K, S> {

    /** Threads that ask one strategy at the same time. */
    int THREADS = 8;

    /** Finds the shard of a key. */
    @FunctionalInterface
    interface Locator<K, S> {

        S locate(K key);
    }

    /**
     * A strategy, seen from outside.
     *
     * @param locator key to shard
     * @param shards the shards that it places keys on
     */
    record Layout<K, S>(Locator<K, S> locator, List<S> shards) {

        public Layout {
            shards = List.copyOf(shards);
        }
    }

    /** A change of a layout that moves no key except to where {@code mayMoveTo} says. */
    record Change<K, S>(Layout<K, S> after, List<S> mayMoveTo) {

        public Change {
            mayMoveTo = List.copyOf(mayMoveTo);
        }
    }

    /** Makes the strategy, anew with each call, and always the same. */
    Layout<K, S> layout();

    /** Returns keys that the strategy takes: extreme ones and, better, some thousand random ones from a fixed seed. */
    List<K> keys();

    /** Returns keys that the strategy must refuse with an {@link IllegalArgumentException}; none unless overridden. */
    default List<K> keysWithoutShard() {
        return List.of();
    }

    /**
     * Returns the strategy with one more shard, for those that promise to move keys only there; null, and so no test, unless
     * overridden.
     */
    default @Nullable Change<K, S> withOneMoreShard() {
        return null;
    }

    /** Every key has a shard, and it is one of those that the strategy names. */
    @Test
    default void everyKeyHasAKnownShard() {
        Layout<K, S> layout = layout();
        assertFalse(keys().isEmpty(), "keys() must return some keys");
        for (K key : keys()) {
            S shard = layout.locator().locate(key);
            assertTrue(
                    layout.shards().contains(shard),
                    () -> "key " + key + " is placed on " + shard + ", which is not one of " + layout.shards());
        }
    }

    /** Each shard is named once, in the same order each time. */
    @Test
    default void shardsAreDistinctAndStable() {
        List<S> shards = layout().shards();
        assertFalse(shards.isEmpty(), "a strategy needs at least one shard");
        assertEquals(shards.size(), new HashSet<>(shards).size(), () -> "each shard once, were " + shards);
        assertEquals(shards, layout().shards());
    }

    /** Another instance, asked in another order, gives the same answers: nothing depends on what was asked before. */
    @Test
    default void answersAreTheSameInEveryInstance() {
        Map<K, S> first = placements(layout(), keys());
        List<K> reversed = new ArrayList<>(keys());
        Collections.reverse(reversed);
        assertEquals(first, placements(layout(), reversed));
    }

    /** Many threads get the same answers from one instance. */
    @Test
    default void answersAreTheSameOnEveryThread() throws Exception {
        Layout<K, S> layout = layout();
        List<K> keys = keys();
        Map<K, S> expected = placements(layout, keys);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<Map<K, S>>> tasks = Collections.nCopies(THREADS, () -> placements(layout, keys));
            for (Future<Map<K, S>> answer : threads.invokeAll(tasks)) {
                assertEquals(expected, answer.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** A key that the strategy cannot place is an error, never a default shard. */
    @Test
    default void keyWithoutShardIsAnError() {
        Layout<K, S> layout = layout();
        assertAll(keysWithoutShard().stream()
                .map(key -> () -> assertThrows(
                        IllegalArgumentException.class, () -> layout.locator().locate(key), () -> "key " + key)));
    }

    /** One more shard takes keys from the others, and no key moves anywhere else. */
    @Test
    default void oneMoreShardMovesKeysOnlyThere() {
        Change<K, S> change = withOneMoreShard();
        assumeTrue(change != null, "the strategy makes no promise about what one more shard moves");
        Map<K, S> before = placements(layout(), keys());
        int moved = 0;
        for (Map.Entry<K, S> placed : before.entrySet()) {
            S after = change.after().locator().locate(placed.getKey());
            if (!after.equals(placed.getValue())) {
                moved++;
                assertTrue(
                        change.mayMoveTo().contains(after),
                        () -> "key " + placed.getKey() + " moved from " + placed.getValue() + " to " + after);
            }
        }
        assertTrue(moved > 0, "the new shard gets no key; give more keys");
    }

    private static <K, S> Map<K, S> placements(Layout<K, S> layout, List<K> keys) {
        Map<K, S> placements = new HashMap<>();
        keys.forEach(key -> placements.put(key, layout.locator().locate(key)));
        return placements;
    }
}
