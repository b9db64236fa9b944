package io.reactiverouter.connection;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timer;
import java.util.concurrent.TimeUnit;
import reactor.core.scheduler.Schedulers;

/**
 * The timer of limits that are set for every call and hardly ever reached: to set one and to lift it again costs no lock, unlike
 * with a scheduler, which keeps them sorted. Limits come up to {@value #TICK_MILLIS} ms late, on threads of
 * {@link Schedulers#parallel()}. One daemon thread for all clusters, from the
 * first one to the end of the JVM, which wakes up at each tick.
 */
final class TimeLimits {

    static final Timer TIMER = timer();

    private static final int TICK_MILLIS = 10;
    private static final int TICKS = 512;

    private TimeLimits() {}

    private static Timer timer() {
        HashedWheelTimer timer = new HashedWheelTimer(
                TimeLimits::thread,
                TICK_MILLIS,
                TimeUnit.MILLISECONDS,
                TICKS,
                false,
                // As many as there are calls, which have limits of their own.
                -1,
                task -> Schedulers.parallel().schedule(task));
        // Whoever starts it waits for its thread, and the first call may be made on an event loop.
        timer.start();
        return timer;
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "reactive-router-time-limits");
        thread.setDaemon(true);
        return thread;
    }
}
