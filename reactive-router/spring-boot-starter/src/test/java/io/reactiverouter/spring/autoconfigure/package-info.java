/** Tests of the auto-configuration. */
@NullMarked
package io.reactiverouter.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
