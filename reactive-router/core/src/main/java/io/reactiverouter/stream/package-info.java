/**
 * Operators for what stands between a subscriber and the connection that works for it. A cancel that comes while something is
 * just being subscribed to must arrive: otherwise the connection waits for ever for somebody to read its rows. Those of
 * reactor-core 3.8.6 that go on from one source to another, or could, as {@code concat}, {@code concatMap}, {@code
 * onErrorResume} and {@code Mono.flatMap}, can lose it.
 */
@NullMarked
package io.reactiverouter.stream;

import org.jspecify.annotations.NullMarked;
