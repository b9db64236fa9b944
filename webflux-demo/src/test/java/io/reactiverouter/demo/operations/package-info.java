/** What {@code compose} needs of the application, and whether its files are right. */
@NullMarked
package io.reactiverouter.demo.operations;

import org.jspecify.annotations.NullMarked;
