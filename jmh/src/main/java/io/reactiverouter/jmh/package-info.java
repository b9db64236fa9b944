/** Benchmarks, one question per class, with the command that runs it in its Javadoc. */
@NullMarked
package io.reactiverouter.jmh;

import org.jspecify.annotations.NullMarked;
