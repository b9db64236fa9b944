/** Configuration of the cluster, its routers and clients in a Spring Boot application. */
@NullMarked
package io.reactiverouter.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
