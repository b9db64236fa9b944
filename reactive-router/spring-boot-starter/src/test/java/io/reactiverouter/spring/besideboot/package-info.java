/** Tests beside Spring Boot's own R2DBC support, which only their class path holds. */
@NullMarked
package io.reactiverouter.spring.besideboot;

import org.jspecify.annotations.NullMarked;
