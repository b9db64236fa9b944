package io.reactiverouter.spring.autoconfigure;

import java.util.Optional;
import java.util.stream.StreamSupport;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.origin.Origin;
import org.springframework.core.env.Environment;

/** Finds the file and line that a property comes from. */
final class PropertyOrigin {

    private PropertyOrigin() {}

    static Optional<Origin> find(Environment environment, String property) {
        if (!ConfigurationPropertyName.isValid(property)) {
            return Optional.empty();
        }
        ConfigurationPropertyName name = ConfigurationPropertyName.of(property);
        Iterable<ConfigurationPropertySource> sources = ConfigurationPropertySources.get(environment);
        return StreamSupport.stream(sources.spliterator(), false)
                .flatMap(source -> Optional.ofNullable(source.getConfigurationProperty(name)).stream())
                .flatMap(found -> Optional.ofNullable(found.getOrigin()).stream())
                .findFirst();
    }
}
