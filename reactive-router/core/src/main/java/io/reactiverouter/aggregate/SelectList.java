package io.reactiverouter.aggregate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The columns of a shard's query. An expression that several aggregates need is there once. Columns count from 0. */
final class SelectList {

    private final Map<String, Integer> unnamed = new LinkedHashMap<>();
    private final List<String> columns = new ArrayList<>();
    private final Set<String> reserved;

    /** @param reserved names that no column gets unless it asks for it */
    SelectList(Collection<String> reserved) {
        this.reserved = Set.copyOf(reserved);
    }

    /** Adds an expression under a name of its own and returns its column. */
    int add(String expression, String name) {
        columns.add(expression + " as " + Sql.identifier(name));
        return columns.size() - 1;
    }

    /** Adds an expression, unless it is there, and returns its column. */
    int add(String expression) {
        return unnamed.computeIfAbsent(expression, added -> add(added, freeName()));
    }

    private String freeName() {
        String name = "#" + columns.size();
        while (reserved.contains(name)) {
            name = "#" + name;
        }
        return name;
    }

    @Override
    public String toString() {
        return String.join(", ", columns);
    }
}
