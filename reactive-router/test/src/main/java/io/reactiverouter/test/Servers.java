package io.reactiverouter.test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

/** The servers of a set of shards: of each shard its primary, and its replicas in order. Guarded by its owner's lock. */
final class Servers<S extends ManagedServer> {

    private final List<S> primaries = new ArrayList<>();
    private final List<List<S>> replicas = new ArrayList<>();

    /** Makes a replica of a server. */
    @FunctionalInterface
    interface Maker<S> {

        S replica(S primary, String name);
    }

    /** Adds shards by their primaries. */
    void add(List<S> more) {
        more.forEach(primary -> {
            primaries.add(primary);
            replicas.add(new CopyOnWriteArrayList<>());
        });
    }

    /** Gives each shard as many standbys, one after the other on each shard. */
    void replicate(int perShard, Maker<S> maker) {
        Parallel.forEach(IntStream.range(0, primaries.size()).boxed().toList(), shard -> {
            S primary = primaries.get(shard);
            for (int i = 1; i <= perShard; i++) {
                replicas.get(shard).add(maker.replica(primary, primary.node().name() + "-r" + i));
            }
        });
    }

    List<S> primaries() {
        return primaries;
    }

    List<S> all() {
        List<S> all = new ArrayList<>(primaries);
        replicas.forEach(all::addAll);
        return all;
    }

    List<ShardNode> nodes() {
        return primaries.stream().map(ManagedServer::node).toList();
    }

    List<ShardServer> ofShard(int shard) {
        List<ShardServer> all = new ArrayList<>();
        all.add(primaries.get(shard));
        all.addAll(replicas.get(shard));
        return List.copyOf(all);
    }
}
