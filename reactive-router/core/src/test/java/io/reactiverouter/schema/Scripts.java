package io.reactiverouter.schema;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A directory of migration scripts. */
record Scripts(Path directory) {

    /** Writes a script, as in {@code V1__orders.sql}. */
    Scripts with(String name, String sql) {
        try {
            Files.writeString(Files.createDirectories(directory).resolve(name), sql);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    List<String> location() {
        return List.of("filesystem:" + directory);
    }

    SchemaSettings settings() {
        return SchemaSettings.DEFAULTS.withLocations(location());
    }
}
