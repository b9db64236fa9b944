package io.reactiverouter.spring.autoconfigure;

import java.util.Collection;
import java.util.Objects;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.env.Environment;

/**
 * Guards the keys of pins, which are parts of property names. Spring Boot drops characters from these: {@code pins.-5} is
 * read as 5 and {@code pins.a@b} as {@code ab}, which would pin a key that nobody has named.
 */
final class PinNames {

    private static final String BEFORE_KEY = ".[_";

    private PinNames() {}

    /**
     * Checks that the keys were read as they are written.
     *
     * @param pins what the names of all pins begin with
     * @param keys the keys that were read
     */
    static void requireAsWritten(Environment environment, String pins, Collection<String> keys) {
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource iterable) {
                written(iterable, ConfigurationPropertyName.adapt(pins, '.'))
                        .filter(name -> keys.stream().noneMatch(key -> endsWith(name, key)))
                        .findFirst()
                        .ifPresent(PinNames::refuse);
            }
        }
    }

    /** Returns the names of properties below {@code pins} as their source has them. */
    private static Stream<String> written(IterableConfigurationPropertySource source, ConfigurationPropertyName pins) {
        return source.stream()
                .filter(pins::isAncestorOf)
                .map(source::getConfigurationProperty)
                .filter(Objects::nonNull)
                .map(property -> property.getOrigin())
                .filter(PropertySourceOrigin.class::isInstance)
                .map(origin -> ((PropertySourceOrigin) origin).getPropertyName());
    }

    private static boolean endsWith(String name, String key) {
        String end = name.endsWith("]") && !key.endsWith("]") ? key + "]" : key;
        int start = name.length() - end.length();
        return start > 0 && name.endsWith(end) && BEFORE_KEY.indexOf(name.charAt(start - 1)) >= 0;
    }

    private static void refuse(String name) {
        throw new InvalidRouterConfigurationException(
                name,
                "the key in its name is not read as it is written",
                "Put the key in brackets, as in pins[-5] or pins[a@b], in YAML as in \"[a@b]\". Names of environment"
                        + " variables cannot hold every key.");
    }
}
