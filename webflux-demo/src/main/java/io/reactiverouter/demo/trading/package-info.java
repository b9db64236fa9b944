/** The slice "trading": users place orders, orders make trades, positions follow; one user's rows are on one shard. */
@NullMarked
package io.reactiverouter.demo.trading;

import org.jspecify.annotations.NullMarked;
