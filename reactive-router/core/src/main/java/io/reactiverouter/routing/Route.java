package io.reactiverouter.routing;

import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The decision which shards a call goes to. */
public sealed interface Route {

    /** One shard: that of a key. */
    record Single(ShardId shard) implements Route {}

    /** The shards of some keys, each with the keys that it holds, in the order in which the keys came. */
    record Several(Map<ShardId, List<ShardKey>> keysByShard) implements Route {

        public Several {
            Map<ShardId, List<ShardKey>> copy = new LinkedHashMap<>();
            keysByShard.forEach((shard, keys) -> copy.put(shard, List.copyOf(keys)));
            keysByShard = Collections.unmodifiableMap(copy);
        }
    }

    /** Every shard of the keyspace. */
    record All(List<ShardId> shards) implements Route {

        public All {
            shards = List.copyOf(shards);
        }
    }

    /** Returns the shards of this route, each once. */
    default List<ShardId> shards() {
        if (this instanceof Single single) {
            return List.of(single.shard());
        }
        return this instanceof Several several
                ? List.copyOf(several.keysByShard().keySet())
                : ((All) this).shards();
    }
}
