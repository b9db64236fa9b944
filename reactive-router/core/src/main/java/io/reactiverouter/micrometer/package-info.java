/** Meters and observations; needs Micrometer, which is optional. */
@NullMarked
package io.reactiverouter.micrometer;

import org.jspecify.annotations.NullMarked;
