/** The schema of all shards: versioned migrations by Flyway, their validation, and a comparison of what is really there. */
@NullMarked
package io.reactiverouter.schema;

import org.jspecify.annotations.NullMarked;
