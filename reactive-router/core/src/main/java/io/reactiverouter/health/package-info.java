/** Is it alive, and what is it: probes of nodes, their states and roles, and which of them takes a shard's writes. */
@NullMarked
package io.reactiverouter.health;

import org.jspecify.annotations.NullMarked;
