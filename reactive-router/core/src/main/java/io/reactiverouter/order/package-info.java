/** The order in which PostgreSQL sorts rows, for merging rows of several shards that each arrive sorted. */
@NullMarked
package io.reactiverouter.order;

import org.jspecify.annotations.NullMarked;
