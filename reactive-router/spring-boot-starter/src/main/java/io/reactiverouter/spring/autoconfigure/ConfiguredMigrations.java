package io.reactiverouter.spring.autoconfigure;

import static io.reactiverouter.spring.autoconfigure.InvalidRouterConfigurationException.check;

import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.util.List;

/** Turns properties into migrations. */
final class ConfiguredMigrations {

    static final String SCHEMA = ReactiveRouterProperties.PREFIX + ".schema";

    private ConfiguredMigrations() {}

    static ShardMigrations of(ReactiveRouterProperties properties, List<Shard> shards) {
        ReactiveRouterProperties.Schema schema = properties.schema();
        ShardMigrations.Builder builder = ShardMigrations.builder(shards)
                .settings(ConfiguredSettings.schema(schema))
                .connection(ConfiguredSettings.connections(properties));
        if (properties.name() != null) {
            builder.name(properties.name());
        }
        login(builder, schema);
        main(builder, schema.main());
        String canary = schema.canary();
        if (canary != null) {
            builder.canary(canary(canary, shards));
        }
        return check(
                ReactiveRouterProperties.PREFIX + ".shards",
                "Correct the shards, or the database beside them in " + SCHEMA + ".main.",
                builder::build);
    }

    private static void login(ShardMigrations.Builder builder, ReactiveRouterProperties.Schema schema) {
        Secret password = PropertiesShardsConnectionDetails.password(SCHEMA, schema.password(), schema.passwordFile());
        String username = schema.username();
        if (username != null) {
            builder.credentials(username, password);
        } else if (password != null) {
            throw new InvalidRouterConfigurationException(
                    SCHEMA + ".username",
                    "it is not set, and there is a password for it",
                    "Set it to the login that applies scripts, or take the password out.");
        }
    }

    private static void main(ShardMigrations.Builder builder, ReactiveRouterProperties.Main main) {
        String url = main.url();
        if (url == null || url.isBlank()) {
            return;
        }
        String at = SCHEMA + ".main";
        NodeAddress address = check(at + ".url", "Correct the URL.", () -> NodeAddress.parse(url));
        Secret password = PropertiesShardsConnectionDetails.password(at, main.password(), main.passwordFile());
        String username = main.username() != null ? main.username() : address.username();
        if (username == null) {
            throw new InvalidRouterConfigurationException(
                    at + ".username", "it is not set", "Set it to the login name, or put the name into the URL.");
        }
        builder.main(
                address.withCredentials(username, password != null ? password : address.password()), main.locations());
    }

    private static ShardId canary(String name, List<Shard> shards) {
        List<ShardId> ids = shards.stream().map(Shard::id).toList();
        return ids.stream()
                .filter(id -> id.value().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidRouterConfigurationException(
                        SCHEMA + ".canary",
                        "there is no shard \"" + name + "\"",
                        "Set it to one of " + ids + ", or leave it out."));
    }
}
