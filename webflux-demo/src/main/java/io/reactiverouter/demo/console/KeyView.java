package io.reactiverouter.demo.console;

import io.reactiverouter.demo.console.PlacementView.SlotRange;
import io.reactiverouter.demo.console.ShardCard.Health;
import io.reactiverouter.demo.console.ShardCard.NodeCard;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a key lives, and why. Numbers that JavaScript cannot hold are texts.
 *
 * @param token the key's hash, as the server computes it too; null if the strategy has no slots
 * @param slot the token's top 14 bits, null likewise
 * @param range the slots of the same shard around it, null likewise
 * @param why the reasons, in the order in which they lead from the key to the shard
 * @param nodes those that hold the shard's rows
 */
record KeyView(
        String key,
        String keyspace,
        String strategy,
        long epoch,
        @Nullable String token,
        @Nullable Integer slot,
        @Nullable SlotRange range,
        String shard,
        Health health,
        List<String> why,
        List<NodeCard> nodes) {}
