package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.InvalidRouterConfigurationException.check;

import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the shards from the properties, ordered by name. The order of properties would not do: Spring Boot binds the
 * source with the highest precedence first, so that a password in the environment would move its shard to the front, and
 * with it the rows that a strategy expects there.
 */
final class PropertiesShardsConnectionDetails implements ShardsConnectionDetails {

    static final String SHARDS = ReactiveRouterProperties.PREFIX + ".shards";
    private static final String EXAMPLE = "r2dbc:postgresql://app@db0:5432/app";

    private final ReactiveRouterProperties properties;

    PropertiesShardsConnectionDetails(ReactiveRouterProperties properties) {
        this.properties = properties;
    }

    @Override
    public List<Shard> shards() {
        if (properties.shards().isEmpty()) {
            throw new NoShardsConfiguredException();
        }
        List<Shard> shards = properties.shards().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(NameOrder.NATURAL))
                .map(entry -> shard(entry.getKey(), entry.getValue()))
                .toList();
        requireOwnDatabases(shards);
        return shards;
    }

    private static Shard shard(String name, ReactiveRouterProperties.Shard configured) {
        String at = SHARDS + "." + name;
        check(at, "Give the shard another name.", () -> ShardId.of(name));
        String url = configured.url();
        if (url == null || url.isBlank()) {
            throw new InvalidRouterConfigurationException(
                    at + ".url", "it is not set", "Set it to the URL of the shard's primary, as in " + EXAMPLE + ".");
        }
        Shard shard =
                check(at + ".url", "Correct the URL.", () -> Shard.named(name).primary(url));
        shard = withReplicas(at, shard, configured.replicas());
        shard = withLogin(at, shard, configured);
        shard = withWeight(at, shard, configured.weight());
        if (configured.region() != null) {
            shard = shard.region(configured.region());
        }
        for (Map.Entry<String, String> tag : configured.tags().entrySet()) {
            shard = shard.tag(tag.getKey(), tag.getValue());
        }
        return shard;
    }

    private static Shard withReplicas(String at, Shard shard, List<String> urls) {
        Shard result = shard;
        for (int i = 0; i < urls.size(); i++) {
            Shard before = result;
            String url = urls.get(i);
            result = check(at + ".replicas[" + i + "]", "Correct the URL.", () -> before.replica(url));
        }
        return result;
    }

    private static Shard withLogin(String at, Shard shard, ReactiveRouterProperties.Shard configured) {
        Shard result = shard;
        NodeAddress primary = shard.primary().address();
        String login = configured.username() != null ? configured.username() : primary.username();
        Secret password = password(at, configured.password(), configured.passwordFile());
        if (login != null && (configured.username() != null || password != null)) {
            Secret used = password != null ? password : primary.password();
            result = used == null ? shard.credentials(login, (String) null) : shard.credentials(login, used);
        }
        for (Node node : result.nodes()) {
            String username = node.address().username();
            if (username == null || username.isBlank()) {
                throw new InvalidRouterConfigurationException(
                        at + ".username",
                        "node " + node.id().endpoint() + " has no user name",
                        "Set it to the login name of the shard's nodes, or put the name into each URL, as in " + EXAMPLE
                                + ".");
            }
        }
        return result;
    }

    /** Returns the password of what is configured at this place, null if it has none. */
    static @Nullable Secret password(String at, @Nullable String password, @Nullable Path passwordFile) {
        if (passwordFile == null) {
            return password == null ? null : Secret.of(password);
        }
        if (password != null) {
            throw new InvalidRouterConfigurationException(
                    at + ".password-file",
                    at + ".password is set too",
                    "Remove one of them: a password comes from one place.");
        }
        return Secret.file(passwordFile);
    }

    private static Shard withWeight(String at, Shard shard, int weight) {
        return check(at + ".weight", "Set it to 1 or more.", () -> shard.weight(weight));
    }

    /** Two shards over one set of tables would count every row twice, and no write would be where it is expected. */
    private static void requireOwnDatabases(List<Shard> shards) {
        Map<String, ShardId> owners = new HashMap<>();
        for (Shard shard : shards) {
            for (Node node : shard.nodes()) {
                NodeAddress address = node.address();
                String database = address.endpoint() + "/" + address.database();
                ShardId other = owners.putIfAbsent(database + address.options(), shard.id());
                if (other != null) {
                    throw new InvalidRouterConfigurationException(
                            SHARDS + "." + shard.id(),
                            "it has the same database as shard " + other + ": " + database,
                            "Give every shard a database of its own, and every replica its own server.");
                }
            }
        }
    }
}
