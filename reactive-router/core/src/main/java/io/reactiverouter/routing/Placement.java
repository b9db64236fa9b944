package io.reactiverouter.routing;

import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;

/**
 * Where the rows of a keyspace live at one moment. A new layout is a new placement with a higher epoch.
 *
 * @param keyspace the tables and their key
 * @param strategy key to shard
 * @param epoch version of the placement, from 1
 */
public record Placement(Keyspace keyspace, ShardingStrategy strategy, long epoch) {

    public Placement {
        if (epoch < 1) {
            throw new IllegalArgumentException("epoch must be at least 1, was " + epoch);
        }
    }

    /**
     * Reads what {@link #toJson()} wrote.
     *
     * @throws IllegalArgumentException if the text is not valid JSON, of an unknown format version, or does not describe a
     *     placement; the message names the place in the document
     */
    public static Placement fromJson(String json) {
        return PlacementJsonReader.read(json);
    }

    /**
     * Returns the placement as JSON with a format version, without loss. It holds names and rules, no addresses and no
     * passwords.
     *
     * @throws IllegalArgumentException if the strategy is not one of this library's
     */
    public String toJson() {
        return PlacementJson.write(this);
    }
}
