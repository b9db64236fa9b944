/** I/O to one node: pools, settings, time limits, cancellation, errors with the name of the node. */
@NullMarked
package io.reactiverouter.connection;

import org.jspecify.annotations.NullMarked;
