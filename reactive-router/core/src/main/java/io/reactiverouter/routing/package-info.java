/** Who answers: routes, placements, and the live routing table. */
@NullMarked
package io.reactiverouter.routing;

import org.jspecify.annotations.NullMarked;
