/** What now: which errors mean that nothing ran, and how long calls wait for a node that can take them. */
@NullMarked
package io.reactiverouter.failover;

import org.jspecify.annotations.NullMarked;
