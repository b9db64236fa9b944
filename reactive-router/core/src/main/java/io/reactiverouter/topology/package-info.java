/** What is where: names of shards and nodes, and the values that describe a cluster. Values only. */
@NullMarked
package io.reactiverouter.topology;

import org.jspecify.annotations.NullMarked;
