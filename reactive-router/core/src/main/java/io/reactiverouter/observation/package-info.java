/** What happens, told to a listener: an SPI with no-op defaults, free of any metrics library. */
@NullMarked
package io.reactiverouter.observation;

import org.jspecify.annotations.NullMarked;
