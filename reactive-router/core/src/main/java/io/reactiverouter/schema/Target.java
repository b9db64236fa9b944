package io.reactiverouter.schema;

import io.reactiverouter.topology.Shard;
import java.util.List;

/**
 * A database whose schema is cared for.
 *
 * @param shard its nodes
 * @param isMain whether it is the one beside the shards
 * @param locations where its scripts are
 */
record Target(Shard shard, boolean isMain, List<String> locations) {

    String name() {
        return shard.id().value();
    }
}
