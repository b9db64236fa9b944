package io.reactiverouter.topology;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A shard: a named set of rows and the nodes that hold it. Immutable: each method that changes something returns a new
 * shard. {@link #toString()} shows no password.
 *
 * <pre>{@code
 * Shard.named("s0").primary("r2dbc:postgresql://app@db0:5432/app").weight(2).region("eu")
 * }</pre>
 */
public final class Shard {

    private final ShardId id;
    private final List<Node> nodes;
    private final int weight;
    private final @Nullable String region;
    private final Map<String, String> tags;

    private Shard(ShardId id, List<Node> nodes, int weight, @Nullable String region, Map<String, String> tags) {
        this.id = id;
        this.nodes = List.copyOf(nodes);
        this.weight = weight;
        this.region = region;
        this.tags = Map.copyOf(tags);
    }

    /**
     * Starts a shard with this name; its primary comes next.
     *
     * @throws IllegalArgumentException if the name is not a {@link ShardId}
     */
    public static Named named(String name) {
        return new Named(ShardId.of(name));
    }

    /** A shard that still lacks its primary. */
    public static final class Named {

        private final ShardId id;

        private Named(ShardId id) {
            this.id = id;
        }

        /**
         * Returns the shard on this primary, with weight 1 and no region.
         *
         * @throws IllegalArgumentException if the URL is not usable, see {@link NodeAddress#parse}
         */
        public Shard primary(String url) {
            return primary(parse(id, url));
        }

        /** Returns the shard on this primary, with weight 1 and no region. */
        public Shard primary(NodeAddress address) {
            return new Shard(id, List.of(Node.of(id, address, null)), 1, null, Map.of());
        }
    }

    /**
     * Adds a replica.
     *
     * @throws IllegalArgumentException if the URL is not usable or names a node that the shard has already
     */
    public Shard replica(String url) {
        return withReplica(url, null);
    }

    /**
     * Adds a replica in another region than the shard's, for {@link ReadPreference#nearest()}.
     *
     * @throws IllegalArgumentException if the URL is not usable or names a node that the shard has already
     */
    public Shard replica(String url, String nodeRegion) {
        return withReplica(url, Objects.requireNonNull(nodeRegion, "region must not be null"));
    }

    private Shard withReplica(String url, @Nullable String nodeRegion) {
        Node node = Node.of(id, parse(id, url), nodeRegion);
        if (nodes.stream().anyMatch(known -> known.id().equals(node.id()))) {
            throw new IllegalArgumentException("shard " + id + " has the node "
                    + node.id().endpoint() + " twice; each primary and replica needs its own host and port");
        }
        List<Node> more = new ArrayList<>(nodes);
        more.add(node);
        return new Shard(id, more, weight, region, tags);
    }

    /**
     * Sets the login of every node, in place of what their URLs say.
     *
     * @param password null for servers that ask for none
     */
    public Shard credentials(String username, @Nullable String password) {
        return login(username, password == null ? null : Secret.of(password));
    }

    /**
     * Sets the login of every node, in place of what their URLs say, with a password that can change while the application
     * runs: {@link Secret#file} and {@link Secret#from} are asked anew for each connection that is opened. Connections that
     * are open stay.
     */
    public Shard credentials(String username, Secret password) {
        return login(username, password);
    }

    private Shard login(String username, @Nullable Secret password) {
        List<Node> changed = nodes.stream()
                .map(node -> new Node(node.id(), node.address().withCredentials(username, password), node.region()))
                .toList();
        return new Shard(id, changed, weight, region, tags);
    }

    /**
     * Sets the shard's share of rows relative to the other shards'; 1 unless set.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public Shard weight(int newWeight) {
        if (newWeight < 1) {
            throw new IllegalArgumentException("weight of shard " + id + " must be positive, was " + newWeight);
        }
        return new Shard(id, nodes, newWeight, region, tags);
    }

    /** Sets where the shard is, as in {@code eu-west}. */
    public Shard region(String newRegion) {
        return new Shard(id, nodes, weight, Objects.requireNonNull(newRegion, "region must not be null"), tags);
    }

    /** Adds a free label. */
    public Shard tag(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(tags);
        more.put(name, value);
        return new Shard(id, nodes, weight, region, more);
    }

    public ShardId id() {
        return id;
    }

    /** Returns the node that was named as primary. */
    public Node primary() {
        return nodes.get(0);
    }

    /** Returns the nodes that were named as replicas, in order. */
    public List<Node> replicas() {
        return nodes.subList(1, nodes.size());
    }

    /** Returns the primary and then the replicas. */
    public List<Node> nodes() {
        return nodes;
    }

    public int weight() {
        return weight;
    }

    public @Nullable String region() {
        return region;
    }

    public Map<String, String> tags() {
        return tags;
    }

    /**
     * Checks that the list can be a cluster and returns it as it is.
     *
     * @throws IllegalArgumentException if it is empty or two shards have one name
     */
    public static List<Shard> requireDistinct(List<Shard> shards) {
        if (shards.isEmpty()) {
            throw new IllegalArgumentException("a cluster needs at least one shard, has none");
        }
        Set<ShardId> seen = new HashSet<>();
        for (Shard shard : shards) {
            if (!seen.add(shard.id())) {
                throw new IllegalArgumentException(
                        "shard name " + shard.id() + " is used twice; every shard needs its own name");
            }
        }
        return List.copyOf(shards);
    }

    private static NodeAddress parse(ShardId id, String url) {
        try {
            return NodeAddress.parse(url);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("shard " + id + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "Shard[" + id + ", nodes=" + nodes + ", weight=" + weight + ", region=" + region + "]";
    }
}
