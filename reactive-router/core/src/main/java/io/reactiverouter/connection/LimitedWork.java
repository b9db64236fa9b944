package io.reactiverouter.connection;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/**
 * Work that is called, once or again, or given up before: what is said to have not run must not run a moment later.
 */
public final class LimitedWork<T> implements Function<Connection, Publisher<T>> {

    private static final int CALLED = 1;
    private static final int GIVEN_UP = 2;

    private final Function<? super Connection, ? extends Publisher<T>> work;
    private final Supplier<Consequence> ofCalled;
    private final AtomicInteger state = new AtomicInteger();

    /** Creates work of which {@code ofCalled} says what its end brings about once it has been called. */
    public LimitedWork(Function<? super Connection, ? extends Publisher<T>> work, Supplier<Consequence> ofCalled) {
        this.work = work;
        this.ofCalled = ofCalled;
    }

    /** Creates work that is cancelled when it ends too late. */
    public LimitedWork(Function<? super Connection, ? extends Publisher<T>> work) {
        this(work, () -> Consequence.CANCELLED);
    }

    @Override
    public Publisher<T> apply(Connection connection) {
        return state.compareAndSet(0, CALLED) || state.get() == CALLED
                ? work.apply(connection)
                : Flux.error(new IllegalStateException("time was up before the call could run"));
    }

    /** Gives the work up if it has not been called; returns what is known of it. */
    public Consequence consequence() {
        state.compareAndSet(0, GIVEN_UP);
        return state.get() == GIVEN_UP ? Consequence.NOT_RUN : ofCalled.get();
    }
}
