/** The application around the slices: start, shards of its own, and errors as problem details. */
@NullMarked
package io.reactiverouter.demo;

import org.jspecify.annotations.NullMarked;
