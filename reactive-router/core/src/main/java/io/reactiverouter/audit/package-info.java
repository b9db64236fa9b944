/** Whether every row is on the shard that the placement says. */
@NullMarked
package io.reactiverouter.audit;

import org.jspecify.annotations.NullMarked;
