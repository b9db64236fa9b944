/** Transfers, counters and reads on shards that fail, at random by a seed, and a checker that knows what must be there. */
@NullMarked
package io.reactiverouter.reliability;

import org.jspecify.annotations.NullMarked;
