/** Spring's DatabaseClient and transactions, one shard at a time. */
@NullMarked
package io.reactiverouter.spring;

import org.jspecify.annotations.NullMarked;
