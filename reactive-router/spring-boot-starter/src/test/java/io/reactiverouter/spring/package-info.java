/** Tests of Spring's clients and transactions on real shards. */
@NullMarked
package io.reactiverouter.spring;

import org.jspecify.annotations.NullMarked;
