package io.reactiverouter.order;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An enum type of one server: its name in SQL, and its labels in the order in which they sort. */
final class EnumLabels {

    private final String typeName;
    private final List<String> labels;
    private final Map<KeyValue, KeyValue.Scalar> ranks = new HashMap<>();

    EnumLabels(String typeName, List<String> labels) {
        this.typeName = typeName;
        this.labels = List.copyOf(labels);
        for (int i = 0; i < labels.size(); i++) {
            byte[] label = labels.get(i).getBytes(StandardCharsets.UTF_8);
            ranks.put(new KeyValue.Bytes(KeyKind.ENUM, label), new KeyValue.Scalar(KeyKind.ENUM, i));
        }
    }

    String typeName() {
        return typeName;
    }

    KeyValue.Scalar rank(KeyValue label) {
        KeyValue.Scalar rank = ranks.get(label);
        if (rank == null) {
            throw new SortOrderException("a label is none of those that type " + typeName
                    + " had when the order was described; describe the order again");
        }
        return rank;
    }

    String label(KeyValue rank) {
        return labels.get((int) ((KeyValue.Scalar) rank).value);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EnumLabels enumLabels
                && typeName.equals(enumLabels.typeName)
                && labels.equals(enumLabels.labels);
    }

    @Override
    public int hashCode() {
        return 31 * typeName.hashCode() + labels.hashCode();
    }

    @Override
    public String toString() {
        return typeName + " (" + String.join(" < ", labels) + ")";
    }
}
