package io.reactiverouter.scatter;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive rows of an order.
 *
 * @param rows the rows, fewer than were asked for only on the last page
 * @param next the cursor of the next page, null if this is the last one
 * @param manifest how each shard ended
 */
public record Page<T>(List<T> rows, @Nullable String next, ScatterManifest manifest) {

    public Page {
        rows = List.copyOf(rows);
    }

    public boolean isLast() {
        return next == null;
    }
}
