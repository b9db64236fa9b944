package io.reactiverouter.scatter;

import io.reactiverouter.topology.ShardId;

/** An element of a gathered stream: rows, and then exactly one manifest. */
public sealed interface Gathered<T> {

    /** A row and the shard that it came from. */
    record Row<T>(ShardId shard, T value) implements Gathered<T> {}

    /** The last element: how each shard ended. */
    record Manifest<T>(ScatterManifest manifest) implements Gathered<T> {}
}
