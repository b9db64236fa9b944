package io.reactiverouter.order;

import io.reactiverouter.order.SortKey.Collation;
import io.reactiverouter.order.SortKey.Direction;
import io.reactiverouter.order.SortKey.Nulls;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A sort key and what the server has behind it. Equal when values sort the same.
 *
 * @param enumLabels the labels of an enum type, null for other kinds
 */
record SortColumn(SortKey key, KeyKind kind, @Nullable EnumLabels enumLabels) {

    /** Returns the order of two values, or of their absence. */
    int compare(@Nullable KeyValue left, @Nullable KeyValue right) {
        if (left == null || right == null) {
            int nullIsLess = key.nulls() == Nulls.FIRST ? -1 : 1;
            return left == right ? 0 : left == null ? nullIsLess : -nullIsLess;
        }
        int order = left.compareTo(right);
        return key.direction() == Direction.ASC ? order : Integer.compare(0, order);
    }

    /** Checks a value as it has come from the server. */
    @Nullable KeyValue accept(@Nullable KeyValue value) {
        if (value == null) {
            return null;
        }
        if (value.kind != kind) {
            throw new SortOrderException("it is of type " + value.kind.typeName() + " in the rows and was of type "
                    + typeName() + " when the order was described; describe the order again");
        }
        return enumLabels == null ? value : enumLabels.rank(value);
    }

    @Nullable String encode(@Nullable KeyValue value) {
        if (value == null) {
            return null;
        }
        return enumLabels == null ? TextForm.write(value) : enumLabels.label(value);
    }

    @Nullable KeyValue decode(@Nullable String text) {
        if (text == null) {
            return null;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        // Half of a surrogate pair has no UTF-8, and Java puts a question mark in its place.
        if (text.indexOf(0) >= 0 || !new String(bytes, StandardCharsets.UTF_8).equals(text)) {
            throw SortOrderException.unreadable(kind);
        }
        return accept(TextForm.read(kind, bytes));
    }

    String typeName() {
        return enumLabels == null ? "pg_catalog." + kind.typeName() : enumLabels.typeName();
    }

    /** Enums are cast: the server has no operators for domains over them, though it sorts them. */
    String expression(String alias) {
        return enumLabels == null ? sorted(alias) : sorted(alias) + "::" + enumLabels.typeName();
    }

    private String sorted(String alias) {
        String column = alias + "." + quoted(key.column());
        return kind.isText() && key.collation() != Collation.AS_DECLARED ? column + " collate \"C\"" : column;
    }

    static String quoted(String column) {
        return '"' + column.replace("\"", "\"\"") + '"';
    }

    String orderBy(String alias) {
        return sorted(alias)
                + (key.direction() == Direction.ASC ? " asc" : " desc")
                + (key.nulls() == Nulls.FIRST ? " nulls first" : " nulls last");
    }

    @Override
    public String toString() {
        return "\"" + key.column() + "\" "
                + Objects.requireNonNullElse(enumLabels, kind.typeName())
                + (key.direction() == Direction.ASC ? " asc" : " desc")
                + (key.nulls() == Nulls.FIRST ? " nulls first" : " nulls last");
    }
}
