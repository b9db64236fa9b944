package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.topology.Shard;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The property that makes one shard do for all: a single database behind the same beans. It decides what the cluster connects
 * to and where keyspaces look, and moves no row.
 */
record SingleShard(@Nullable String name) {

    static final String PROPERTY = ReactiveRouterProperties.PREFIX + ".single-shard";

    /** An empty text is no name: so a variable of the environment can be there and say nothing. */
    static SingleShard of(@Nullable String name) {
        return new SingleShard(name == null || name.isBlank() ? null : name);
    }

    boolean isSet() {
        return name != null;
    }

    boolean leavesOut(String shard) {
        return name != null && !name.equals(shard);
    }

    /** Returns those of {@code shards} that the cluster has. */
    List<Shard> among(List<Shard> shards) {
        if (name == null) {
            return shards;
        }
        return List.of(shards.stream()
                .filter(shard -> shard.id().value().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidRouterConfigurationException(
                        PROPERTY,
                        "there is no shard \"" + name + "\"; known are "
                                + shards.stream().map(Shard::id).toList(),
                        "Set it to the name of a shard, or leave it out to use them all.")));
    }
}
