package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a query that come after a place in its order. One condition for all of them, {@code a > 1 or (a = 1 and b > 2)},
 * would make the server read an index from its beginning; these are disjoint conditions, of which each is one range of an
 * index in the order that is wanted.
 */
final class Keyset {

    private final SortPlan plan;
    private final @Nullable String[] place;
    private final int firstParameter;

    /** The values of {@code place} that are not null are the parameters {@code $firstParameter} and so on, as text. */
    Keyset(SortPlan plan, @Nullable String[] place, int firstParameter) {
        this.plan = plan;
        this.place = place;
        this.firstParameter = firstParameter;
    }

    /** Returns the conditions; none if nothing comes after the place. */
    List<String> conditions(String alias) {
        List<String> conditions = new ArrayList<>();
        StringBuilder sameBefore = new StringBuilder();
        int parameter = firstParameter;
        for (int i = 0; i < place.length; i++) {
            SortKey key = plan.keys().get(i);
            String expression = plan.expression(i, alias);
            boolean nullsFirst = key.nulls() == SortKey.Nulls.FIRST;
            if (place[i] == null) {
                if (nullsFirst) {
                    conditions.add(sameBefore + expression + " is not null");
                }
                sameBefore.append(expression).append(" is null and ");
                continue;
            }
            String value = "$" + parameter++ + "::text::" + plan.typeName(i);
            String after = key.direction() == SortKey.Direction.ASC ? " > " : " < ";
            conditions.add(sameBefore + expression + after + value);
            if (!nullsFirst) {
                conditions.add(sameBefore + expression + " is null");
            }
            sameBefore.append(expression).append(" = ").append(value).append(" and ");
        }
        return conditions;
    }
}
