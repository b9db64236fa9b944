/** Real PostgreSQL shards for tests, demos and benchmarks: embedded processes or containers. Independent of the router. */
@NullMarked
package io.reactiverouter.test;

import org.jspecify.annotations.NullMarked;
