/** Key to shard: sharding keys, the strategies that place them, and the tables they place. JDK only. */
@NullMarked
package io.reactiverouter.strategy;

import org.jspecify.annotations.NullMarked;
