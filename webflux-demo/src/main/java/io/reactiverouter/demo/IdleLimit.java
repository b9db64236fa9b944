package io.reactiverouter.demo;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/** Ends streams whose subscriber takes nothing any more. */
public final class IdleLimit {

    /** Looks so many times within the limit. */
    private static final int LOOKS = 4;

    private IdleLimit() {}

    /**
     * Returns {@code source}, which is cancelled and fails with {@link IdleClientException} when its subscriber asks for
     * nothing for so long. Time that the subscriber waits does not count.
     */
    public static <T> Flux<T> of(Duration limit, Flux<T> source) {
        return Flux.defer(() -> {
            AtomicLong demand = new AtomicLong();
            AtomicLong satisfied = new AtomicLong(System.nanoTime());
            AtomicBoolean over = new AtomicBoolean();
            Mono<Long> idle = Flux.interval(limit.dividedBy(LOOKS))
                    .onBackpressureDrop()
                    .filter(look -> demand.get() == 0 && System.nanoTime() - satisfied.get() >= limit.toNanos())
                    .next()
                    .doOnNext(look -> over.set(true));
            return source.doOnRequest(n -> demand.accumulateAndGet(n, Operators::addCap))
                    .doOnNext(row -> {
                        if (demand.decrementAndGet() == 0) {
                            satisfied.set(System.nanoTime());
                        }
                    })
                    // An error of the other one would pass, and leave the source as it is.
                    .takeUntilOther(idle)
                    .concatWith(
                            Mono.defer(() -> over.get() ? Mono.error(new IdleClientException(limit)) : Mono.empty()));
        });
    }

    /** The subscriber has asked for nothing for too long. */
    public static final class IdleClientException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        IdleClientException(Duration limit) {
            super("nothing was read for " + limit, null, false, false);
        }
    }
}
