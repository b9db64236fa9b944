package io.reactiverouter.demo.trading;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive orders of all shards.
 *
 * @param next where the next page begins, null if this is the last one
 */
record OrderPage(List<OrderView> rows, @Nullable String next) {}
