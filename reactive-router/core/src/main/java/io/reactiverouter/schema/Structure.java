package io.reactiverouter.schema;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What is in a database: objects by name, and of each what can differ. */
final class Structure {

    private final Map<String, Thing> things = new TreeMap<>();

    /**
     * An object.
     *
     * @param parent table that it belongs to, null if it stands for itself
     * @param aspects what can differ, as in type to bigint
     */
    record Thing(@Nullable String parent, Map<String, String> aspects) {

        /** Returns it as people read it, as in {@code bigint, not null}. */
        String words() {
            return String.join(", ", aspects.values());
        }
    }

    void add(String object, @Nullable String parent, String aspect, String value) {
        things.computeIfAbsent(object, added -> new Thing(parent, new LinkedHashMap<>()))
                .aspects()
                .put(aspect, value);
    }

    Map<String, Thing> things() {
        return things;
    }

    @Nullable Thing thing(String object) {
        return things.get(object);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Structure that && things.equals(that.things);
    }

    @Override
    public int hashCode() {
        return things.hashCode();
    }
}
