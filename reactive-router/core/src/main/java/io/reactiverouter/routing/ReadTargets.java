package io.reactiverouter.routing;

import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.NodeState;
import io.reactiverouter.topology.ReadPreference;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Puts the nodes that a read may go to into the order in which they are tried. Thread-safe. */
public final class ReadTargets {

    private final RoutingTable table;
    private final ToIntFunction<NodeId> load;
    private final Set<NodeId> near = new HashSet<>();

    /**
     * @param region of this client, null if it has none
     * @param load how much a node has to do for this client
     */
    public ReadTargets(RoutingTable table, @Nullable String region, ToIntFunction<NodeId> load) {
        this.table = table;
        this.load = load;
        for (Shard shard : table.shards()) {
            for (Node node : shard.nodes()) {
                String of = node.region() == null ? shard.region() : node.region();
                if (region != null && Objects.equals(region, of)) {
                    near.add(node.id());
                }
            }
        }
    }

    /**
     * Returns the nodes to try, best first. Those that do not answer, or lag, come last: worse than any other, and better than
     * none.
     *
     * @param position what must have been applied; nodes that had not at their last probe come after those that had
     */
    public List<NodeId> of(ShardId shard, ReadPreference preference, long position) {
        List<ReadTarget> chosen = new ArrayList<>();
        for (ReadTarget target : table.readTargets(shard)) {
            boolean wanted = target.primary()
                    ? preference.from() != ReadPreference.From.REPLICA
                    : position != ReadYourWrites.UNKNOWN && isFreshEnough(target, preference);
            if (wanted) {
                chosen.add(target);
            }
        }
        Comparator<ReadTarget> order = Comparator.comparingInt(target -> rank(target, preference, position));
        if (preference.from() == ReadPreference.From.NEAREST) {
            order = order.thenComparing(target -> !near.contains(target.node())).thenComparing(ReadTarget::latency);
            chosen.sort(order);
        } else {
            Collections.shuffle(chosen, ThreadLocalRandom.current());
            chosen.sort(order);
            lessLoadedFirst(chosen, order);
        }
        return chosen.stream().map(ReadTarget::node).toList();
    }

    /** Nobody knows how far one that does not answer is behind by now. */
    private static boolean isFreshEnough(ReadTarget target, ReadPreference preference) {
        return !preference.isLimited() || (target.answers() && preference.allows(target.lag(), target.lagBytes()));
    }

    private static int rank(ReadTarget target, ReadPreference preference, long position) {
        if (!target.answers()) {
            return target.state() == NodeState.EJECTED ? 6 : 5;
        }
        if (target.state() == NodeState.EJECTED) {
            // Calls have failed there, and yet it is worth more than one that says nothing.
            return 4;
        }
        if (target.primary()) {
            return preference.from() == ReadPreference.From.NEAREST ? 0 : 2;
        }
        if (target.state() == NodeState.LAGGING && !preference.isLimited()) {
            return 3;
        }
        return target.position() >= position ? 0 : 1;
    }

    /** Of two at random the one with less to do: nearly as even as the least of all, and no herd runs to one node. */
    private void lessLoadedFirst(List<ReadTarget> shuffled, Comparator<ReadTarget> order) {
        if (shuffled.size() > 1
                && order.compare(shuffled.get(0), shuffled.get(1)) == 0
                && load.applyAsInt(shuffled.get(1).node())
                        < load.applyAsInt(shuffled.get(0).node())) {
            Collections.swap(shuffled, 0, 1);
        }
    }
}
