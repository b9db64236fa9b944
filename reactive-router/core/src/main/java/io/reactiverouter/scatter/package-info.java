/** Many shards: fan-out, merge and outcomes. */
@NullMarked
package io.reactiverouter.scatter;

import org.jspecify.annotations.NullMarked;
