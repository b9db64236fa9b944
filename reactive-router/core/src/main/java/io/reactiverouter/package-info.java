/** The facade: a cluster of shards, its routers, and the calls that they make. */
@NullMarked
package io.reactiverouter;

import org.jspecify.annotations.NullMarked;
