package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.failover.ReadSettings;
import io.reactiverouter.failover.RetrySettings;
import io.reactiverouter.health.HealthSettings;
import io.reactiverouter.schema.SchemaSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.configurationmetadata.ConfigurationMetadataProperty;
import org.springframework.boot.configurationmetadata.ConfigurationMetadataRepositoryJsonBuilder;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class MetadataTests {

    @Test
    void everyPropertyIsDescribed() {
        assertThat(properties())
                .isNotEmpty()
                .allSatisfy(property -> assertThat(property.getDescription())
                        .as("description of %s", property.getId())
                        .asString()
                        .endsWith("."));
    }

    /** Metadata ends at a map: what its values have is in its own description only. */
    @Test
    void descriptionsOfMapsNameWhatTheirValuesHave() {
        assertThat(description("reactive-router.shards")).contains(properties(ReactiveRouterProperties.Shard.class));
        assertThat(description("reactive-router.keyspaces"))
                .contains(properties(ReactiveRouterProperties.Keyspace.class));
    }

    private static String description(String id) {
        return properties().stream()
                .filter(property -> property.getId().equals(id))
                .map(ConfigurationMetadataProperty::getDescription)
                .findFirst()
                .orElseThrow();
    }

    private static List<String> properties(Class<? extends Record> type) {
        return Arrays.stream(type.getRecordComponents())
                .map(component -> DataObjectPropertyName.toDashedForm(component.getName()))
                .toList();
    }

    @Test
    void everyPropertyButTheMapsAndTheComputedOnesShowsItsDefault() {
        assertThat(properties())
                .filteredOn(property -> property.getDefaultValue() == null)
                .extracting(ConfigurationMetadataProperty::getId)
                .containsExactlyInAnyOrder(
                        "reactive-router.shards",
                        "reactive-router.keyspaces",
                        "reactive-router.single-shard",
                        "reactive-router.name",
                        "reactive-router.observability.slow-threshold",
                        "reactive-router.reads.region",
                        "reactive-router.event-loops",
                        "reactive-router.cursor-key",
                        "reactive-router.schema.username",
                        "reactive-router.schema.password",
                        "reactive-router.schema.password-file",
                        "reactive-router.schema.canary",
                        "reactive-router.schema.placeholders",
                        "reactive-router.schema.schemas",
                        "reactive-router.schema.baseline",
                        "reactive-router.schema.ignored",
                        "reactive-router.schema.main.url",
                        "reactive-router.schema.main.username",
                        "reactive-router.schema.main.password",
                        "reactive-router.schema.main.password-file");
    }

    @Test
    void defaultsAreThoseOfTheCore() {
        ReactiveRouterProperties unset = new Binder(new MapConfigurationPropertySource())
                .bindOrCreate(ReactiveRouterProperties.PREFIX, ReactiveRouterProperties.class);

        assertThat(ConfiguredSettings.pool(unset.pool())).isEqualTo(PoolSettings.DEFAULTS);
        assertThat(ConfiguredSettings.connection(unset.connection())).isEqualTo(ConnectionSettings.DEFAULTS);
        assertThat(ConfiguredSettings.health(unset.health())).isEqualTo(HealthSettings.DEFAULTS);
        assertThat(ConfiguredSettings.failover(unset.failover())).isEqualTo(FailoverSettings.DEFAULTS);
        assertThat(ConfiguredSettings.retry(unset.retry())).isEqualTo(RetrySettings.DEFAULTS);
        assertThat(ConfiguredSettings.reads(unset.reads())).isEqualTo(ReadSettings.DEFAULTS);
        assertThat(ConfiguredSettings.schema(unset.schema())).isEqualTo(SchemaSettings.DEFAULTS);
    }

    private static Collection<ConfigurationMetadataProperty> properties() {
        try (InputStream json =
                MetadataTests.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            return ConfigurationMetadataRepositoryJsonBuilder.create(Objects.requireNonNull(json, "no metadata"))
                    .build()
                    .getAllProperties()
                    .values();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
