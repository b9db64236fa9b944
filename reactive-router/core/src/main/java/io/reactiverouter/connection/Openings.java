package io.reactiverouter.connection;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Lets few connections of a node be opened at the same time; the others wait for their turn, in the order in which they came.
 * Each login costs its event loop milliseconds of arithmetic: a whole pool that is opened again at once, as after a restart of
 * its node, would stall the connections to all other nodes that live on the same loops.
 *
 * <p>Those who wait behind an opening that found no answer in time fail with it, instead of finding out one after another.
 */
final class Openings {

    private final AtomicInteger free;
    private final Queue<Turn> waiting = new ConcurrentLinkedQueue<>();

    Openings(int limit) {
        this.free = new AtomicInteger(limit);
    }

    /** Runs this when it has its turn, which ends with it. */
    <T> Mono<T> inTurn(Mono<T> opening) {
        return Mono.using(this::turn, turn -> turn.granted.asMono().then(opening.doOnError(this::failed)), Turn::over);
    }

    private Turn turn() {
        Turn turn = new Turn();
        waiting.add(turn);
        grant();
        return turn;
    }

    private void grant() {
        while (!waiting.isEmpty() && take()) {
            Turn next = next(State.GRANTED);
            if (next == null) {
                // Who waited has left. Another may have come since, and found nothing free.
                free.incrementAndGet();
            } else {
                next.granted.tryEmitEmpty();
            }
        }
    }

    private boolean take() {
        return free.getAndUpdate(permits -> Math.max(0, permits - 1)) > 0;
    }

    /** Returns the first who still waits, now in this state; null if nobody does. */
    private @Nullable Turn next(State to) {
        @Nullable Turn next;
        do {
            next = waiting.poll();
        } while (next != null && !next.state.compareAndSet(State.WAITING, to));
        return next;
    }

    private void failed(Throwable error) {
        if (error instanceof TimeoutException) {
            // Only those who are here now: whoever comes again at once does not fail with the same news.
            for (int i = waiting.size(); i > 0; i--) {
                Turn next = next(State.OVER);
                if (next == null) {
                    return;
                }
                next.granted.tryEmitError(error);
            }
        }
    }

    private enum State {
        WAITING,
        GRANTED,
        OVER
    }

    private final class Turn {

        private final Sinks.Empty<Void> granted = Sinks.empty();
        private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

        private void over() {
            switch (state.getAndSet(State.OVER)) {
                case GRANTED -> {
                    free.incrementAndGet();
                    grant();
                }
                case WAITING -> waiting.remove(this);
                case OVER -> {}
            }
        }
    }
}
