/** Aggregates over rows of many shards: partial states from each, merged to what one database would have said. */
@NullMarked
package io.reactiverouter.aggregate;

import org.jspecify.annotations.NullMarked;
