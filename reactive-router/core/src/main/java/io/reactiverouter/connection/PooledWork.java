package io.reactiverouter.connection;

import io.r2dbc.postgresql.api.ErrorDetails;
import io.r2dbc.postgresql.api.PostgresqlException;
import io.r2dbc.spi.Connection;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;
import reactor.util.Logger;
import reactor.util.Loggers;
import reactor.util.context.Context;

/**
 * What work does with a connection that is taken from a pool for it, and given back before its end is told. Does what
 * {@code usingWhen} would do around {@code defer}, {@code cancelOn} and {@code subscribeOn}, for less: every call passes here.
 */
final class PooledWork<T> extends Flux<T> {

    /** No such prepared statement; protocol violation. */
    private static final Set<String> LOST_STATEMENT = Set.of("26000", "08P01");

    private static final String NOT_SUPPORTED = "0A000";

    /** The routine of the server that finds that a cached plan must not change its result type. */
    private static final String CACHED_PLAN = "RevalidateCachedQuery";

    private static final Logger LOG = Loggers.getLogger(PooledWork.class);

    private final NodePool pool;
    private final ShardExecutor.Residue residue;
    private final Function<? super Connection, ? extends Publisher<T>> work;

    private PooledWork(
            NodePool pool, ShardExecutor.Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        this.pool = pool;
        this.residue = residue;
        this.work = work;
    }

    /** Returns what {@link NodePool#execute} does. */
    static <T> Flux<T> of(
            NodePool pool, ShardExecutor.Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
        return Flux.onAssembly(new PooledWork<>(pool, residue, work));
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        Call<T> call = new Call<>(actual, this);
        actual.onSubscribe(call);
        if (call.get() == Call.ACQUIRING) {
            // As any subscriber: it gets the thread-locals of its context, where Reactor is told to restore them.
            Subscriber<LeasedConnection> acquiring = new Acquiring<>(call);
            pool.acquire().subscribe(acquiring);
        }
    }

    /** Gives back the connection of work that has completed. */
    private Mono<Void> release(LeasedConnection leased) {
        return residue == ShardExecutor.Residue.NONE ? pool.release(leased) : pool.settleAndRelease(leased);
    }

    private Mono<Void> release(LeasedConnection leased, Throwable error) {
        return isSpoilt(error) ? pool.discard(leased, error) : pool.settleAndRelease(leased);
    }

    /**
     * Says whether the driver and the server do not agree about prepared statements any more, as after a change of a table:
     * the same statement would fail again on this connection.
     */
    private static boolean isSpoilt(Throwable error) {
        if (!(error instanceof PostgresqlException refusal)) {
            return false;
        }
        ErrorDetails details = refusal.getErrorDetails();
        return LOST_STATEMENT.contains(details.getCode())
                || (details.getCode().equals(NOT_SUPPORTED)
                        && details.getRoutine().filter(CACHED_PLAN::equals).isPresent());
    }

    /**
     * Its value is the state. Whoever moves it to {@code OVER} sees to what has been taken by then: the wait, the connection, or
     * the work with it.
     */
    private static final class Call<T> extends AtomicInteger implements CoreSubscriber<T>, Subscription, Runnable {

        private static final long serialVersionUID = 1L;

        static final int ACQUIRING = 0;

        /** There is a connection, and the work has not been called. */
        private static final int STARTING = 1;

        private static final int WORKING = 2;
        private static final int OVER = 3;

        @SuppressWarnings("rawtypes")
        private static final AtomicReferenceFieldUpdater<Call, Subscription> STARTED =
                AtomicReferenceFieldUpdater.newUpdater(Call.class, Subscription.class, "started");

        @SuppressWarnings("rawtypes")
        private static final AtomicLongFieldUpdater<Call> REQUESTED =
                AtomicLongFieldUpdater.newUpdater(Call.class, "requested");

        private final transient CoreSubscriber<? super T> actual;
        private final transient PooledWork<T> source;
        private transient volatile @Nullable Subscription wait;
        private transient @Nullable LeasedConnection leased;

        /** Of the work, which knows nothing of what is {@code requested} before. */
        private transient volatile @Nullable Subscription started;

        @SuppressWarnings("UnusedVariable") // only through REQUESTED
        private transient volatile long requested;

        Call(CoreSubscriber<? super T> actual, PooledWork<T> source) {
            this.actual = actual;
            this.source = source;
        }

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        void waiting(Subscription subscription) {
            wait = subscription;
            if (get() == OVER) {
                subscription.cancel();
            } else {
                subscription.request(Long.MAX_VALUE);
            }
        }

        void notAcquired(Throwable error) {
            if (getAndSet(OVER) == ACQUIRING) {
                actual.onError(error);
            }
        }

        /** Comes behind each connection too. */
        void notAcquired() {
            if (compareAndSet(ACQUIRING, OVER)) {
                actual.onComplete();
            }
        }

        /** The pool is in the middle of handing it out: nothing is done with it here. */
        void acquired(LeasedConnection given) {
            leased = given;
            if (compareAndSet(ACQUIRING, STARTING)) {
                onLoop(this);
            } else {
                giveBack(given);
            }
        }

        /** Nothing was sent on it. */
        private void giveBack(LeasedConnection unused) {
            source.pool.release(unused).subscribe(null, error -> LOG.debug("a connection was not released", error));
        }

        @Override
        public void run() {
            if (!compareAndSet(STARTING, WORKING)) {
                return;
            }
            LeasedConnection connection = leased();
            if (!connection.isOpen()) {
                onError(source.pool.closed());
                return;
            }
            try {
                Publisher<T> answer = Objects.requireNonNull(source.work.apply(connection), "work returned null");
                Flux.from(answer).subscribe(this);
            } catch (Throwable e) {
                stopWork();
                onError(e);
                Exceptions.throwIfFatal(e);
            }
        }

        /** Runs what hooks of Reactor's schedulers make of a task, as thread-locals for it. */
        private void onLoop(Runnable task) {
            leased().loop().execute(Schedulers.onSchedule(task));
        }

        private LeasedConnection leased() {
            return Objects.requireNonNull(leased, "no connection");
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            if (!STARTED.compareAndSet(this, null, subscription)) {
                // It has been cancelled, or has one already.
                subscription.cancel();
                return;
            }
            askForRequested(subscription);
        }

        private void askForRequested(Subscription subscription) {
            long all = REQUESTED.getAndSet(this, 0);
            if (all > 0) {
                ask(subscription, all);
            }
        }

        private void ask(Subscription subscription, long n) {
            if (leased().loop().isCurrent()) {
                subscription.request(n);
            } else {
                onLoop(() -> subscription.request(n));
            }
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            Subscription subscription = started;
            if (subscription != null) {
                ask(subscription, n);
                return;
            }
            Operators.addCap(REQUESTED, this, n);
            subscription = started;
            if (subscription != null) {
                askForRequested(subscription);
            }
        }

        @Override
        public void onNext(T element) {
            actual.onNext(element);
        }

        @Override
        public void onError(Throwable error) {
            if (compareAndSet(WORKING, OVER)) {
                end(error);
            }
        }

        @Override
        public void onComplete() {
            if (compareAndSet(WORKING, OVER)) {
                end(null);
            }
        }

        private void end(@Nullable Throwable error) {
            Ending ending = new Ending(actual, error);
            Mono<Void> release;
            try {
                release = error == null ? source.release(leased()) : source.release(leased(), error);
            } catch (RuntimeException e) {
                ending.onError(e);
                return;
            }
            release.subscribe(ending);
        }

        @Override
        public void cancel() {
            int before = getAndSet(OVER);
            if (before == ACQUIRING) {
                Subscription subscription = wait;
                if (subscription != null) {
                    subscription.cancel();
                }
            } else if (before == STARTING) {
                giveBack(leased());
            } else if (before == WORKING) {
                // A cancel that comes from within the loop must be seen by the row after it.
                if (leased().loop().isCurrent()) {
                    stop();
                } else {
                    onLoop(this::stop);
                }
            }
        }

        private void stopWork() {
            Subscription subscription = STARTED.getAndSet(this, Operators.cancelledSubscription());
            if (subscription != null) {
                try {
                    subscription.cancel();
                } catch (RuntimeException e) {
                    LOG.warn("work could not be cancelled", e);
                }
            }
        }

        private void stop() {
            stopWork();
            source.pool
                    .settleAndRelease(leased())
                    .subscribe(null, error -> LOG.debug("a connection was not released", error));
        }
    }

    private record Acquiring<T>(Call<T> call) implements CoreSubscriber<LeasedConnection> {

        @Override
        public Context currentContext() {
            return call.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            call.waiting(subscription);
        }

        @Override
        public void onNext(LeasedConnection given) {
            call.acquired(given);
        }

        @Override
        public void onError(Throwable error) {
            call.notAcquired(error);
        }

        @Override
        public void onComplete() {
            call.notAcquired();
        }
    }

    /** The connection is being given back, which changes nothing of what the work has done. */
    private record Ending(
            CoreSubscriber<?> actual, @Nullable Throwable outcome) implements CoreSubscriber<Void> {

        @Override
        public Context currentContext() {
            return actual.currentContext();
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(Void nothing) {
            // There is none.
        }

        @Override
        public void onError(Throwable error) {
            LOG.warn("a connection could not be released", error);
            onComplete();
        }

        @Override
        public void onComplete() {
            if (outcome == null) {
                actual.onComplete();
            } else {
                actual.onError(outcome);
            }
        }
    }
}
