package io.reactiverouter.demo.console;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.demo.console.PlacementView.SlotRange;
import io.reactiverouter.demo.console.ShardCard.Judgement;
import io.reactiverouter.demo.console.ShardCard.NodeCard;
import io.reactiverouter.health.ShardStatus;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.web.server.ResponseStatusException;

/** Explains where a key lives. Computes, and asks no server. */
@Service
@ConditionalOnConsole
class KeyExplorer {

    private static final Pattern INTEGER = Pattern.compile("[+-]?\\d{1,19}");
    private static final int MAX_SHOWN = 40;

    private final ShardCluster cluster;
    private final ShardRouter router;

    KeyExplorer(ShardCluster cluster, ShardRouter router) {
        this.cluster = cluster;
        this.router = router;
    }

    PlacementView placement() {
        return PlacementView.of(router.placement());
    }

    /**
     * Returns where the rows of a user are.
     *
     * @throws ResponseStatusException 400 if the text is no 64-bit integer
     */
    KeyView locate(String text) {
        ShardKey key = ShardKey.of(number(text.strip()));
        Placement placement = router.placement();
        ShardingStrategy strategy = placement.strategy();
        ShardId shard = strategy.locate(key);
        List<String> why = new ArrayList<>();
        String token = null;
        Integer slot = null;
        SlotRange range = null;
        if (strategy instanceof Directory directory && directory.pins().containsKey(key)) {
            why.add("Key " + key + " is pinned to shard " + shard + " by name, whatever its hash.");
        } else if (PlacementView.slots(strategy).isPresent()) {
            HashSlots slots = PlacementView.slots(strategy).get();
            int found = HashSlots.slot(key);
            slot = found;
            token = Long.toString(HashSlots.token(key));
            range = PlacementView.of(placement).ranges().stream()
                    .filter(each -> each.from() <= found && found <= each.to())
                    .findFirst()
                    .orElseThrow();
            why.add("PostgreSQL's hashint8extended(" + key + ", 0) is the token " + token + ".");
            why.add("Its top 14 bits, (token >> 50) & 16383, are slot " + found + ".");
            why.add("Slots " + range.from() + " to " + range.to() + " belong to shard " + slots.owner(found) + ".");
        } else {
            why.add("The strategy " + strategy + " places key " + key + " on shard " + shard + ".");
        }
        ShardStatus status = cluster.status().shard(shard);
        return new KeyView(
                key.toString(),
                placement.keyspace().name(),
                PlacementView.name(strategy),
                placement.epoch(),
                token,
                slot,
                range,
                shard.value(),
                Judgement.of(status).health(),
                why,
                status.nodes().stream().map(node -> NodeCard.of(status, node)).toList());
    }

    private static long number(String text) {
        try {
            if (INTEGER.matcher(text).matches()) {
                return Long.parseLong(text);
            }
        } catch (NumberFormatException e) {
            // Too large: the same remedy.
        }
        throw new ResponseStatusException(
                HttpStatus.BAD_REQUEST,
                "key must be a whole number of 64 bits, as 42, because the keyspace has integer keys; was \""
                        + (text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...") + "\"");
    }
}
