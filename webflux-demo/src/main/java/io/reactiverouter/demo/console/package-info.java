/** The slice "console": a page on which the cluster can be watched while it works. */
@NullMarked
package io.reactiverouter.demo.console;

import org.jspecify.annotations.NullMarked;
