package io.reactiverouter.demo.console;

import io.reactiverouter.routing.Placement;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where the rows of a keyspace live.
 *
 * @param strategy its name, as properties have it
 * @param slots how many slots there are; 0 if the strategy has none
 * @param ranges the slots and their owners, in ascending order, without a gap; empty if the strategy has none
 * @param pins how many keys are placed by name, whatever the strategy says
 */
record PlacementView(
        String keyspace,
        String key,
        List<String> tables,
        String strategy,
        long epoch,
        List<String> shards,
        int slots,
        List<SlotRange> ranges,
        int pins) {

    /** Slots of one shard, the first and last one included. */
    record SlotRange(int from, int to, String shard) {}

    static PlacementView of(Placement placement) {
        ShardingStrategy strategy = placement.strategy();
        List<SlotRange> ranges = slots(strategy).map(PlacementView::ranges).orElse(List.of());
        return new PlacementView(
                placement.keyspace().name(),
                placement.keyspace().keyColumn(),
                placement.keyspace().tables(),
                name(strategy),
                placement.epoch(),
                strategy.shards().stream().map(ShardId::value).toList(),
                ranges.isEmpty() ? 0 : HashSlots.SLOTS,
                ranges,
                strategy instanceof Directory directory ? directory.pins().size() : 0);
    }

    /** Returns the slots of a strategy, if it has some. */
    static Optional<HashSlots> slots(ShardingStrategy strategy) {
        if (strategy instanceof Directory directory) {
            return slots(directory.rest());
        }
        return strategy instanceof HashSlots slots ? Optional.of(slots) : Optional.empty();
    }

    /** Returns {@code hash-slots} for {@code HashSlots}; that of the rest of the keys for a directory. */
    static String name(ShardingStrategy strategy) {
        return strategy instanceof Directory directory
                ? name(directory.rest())
                : strategy.getClass()
                        .getSimpleName()
                        .replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-")
                        .toLowerCase(Locale.ROOT);
    }

    private static List<SlotRange> ranges(HashSlots slots) {
        List<ShardId> owners = slots.owners();
        List<SlotRange> ranges = new ArrayList<>();
        int from = 0;
        for (int slot = 1; slot <= owners.size(); slot++) {
            if (slot == owners.size() || !owners.get(slot).equals(owners.get(from))) {
                ranges.add(new SlotRange(from, slot - 1, owners.get(from).value()));
                from = slot;
            }
        }
        return ranges;
    }
}
