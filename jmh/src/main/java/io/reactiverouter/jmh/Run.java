package io.reactiverouter.jmh;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One batch of operations: which accounts they are about, how many are left, and what they gave. The batch of one number has
 * the same operations whoever runs it, and no account twice. Thread-safe.
 */
final class Run {

    private static final long STRIDE = 31;
    private static final int MINUTES = 2;

    private final Operation operation;
    private final int operations;
    private final long base;
    private final Latencies latencies;
    private final AtomicInteger next = new AtomicInteger();
    private final LongAdder checksum = new LongAdder();
    private final CountDownLatch left;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Run(Operation operation, int operations, int number, Latencies latencies) {
        if (operations > Accounts.ROWS) {
            throw new IllegalArgumentException(
                    "a batch has at most " + Accounts.ROWS + " operations, was to have " + operations);
        }
        this.operation = operation;
        this.operations = operations;
        this.base = (long) number * operations;
        this.latencies = latencies;
        this.left = new CountDownLatch(operations);
    }

    int operations() {
        return operations;
    }

    /** Takes the next operation; the batch is over if it is {@link #operations()} or more. */
    int take() {
        return next.getAndIncrement();
    }

    /** Starts an operation, and runs something when it has succeeded. */
    void start(AsyncClient client, int index, long intendedStart, Runnable afterwards) {
        Completion completion = new Completion() {
            @Override
            public void succeeded(long value) {
                Run.this.succeeded(index, value, intendedStart);
                afterwards.run();
            }

            @Override
            public void failed(Throwable cause) {
                Run.this.failed(cause);
            }
        };
        try {
            operation.start(client, account(index), base + index, completion);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    /** Performs an operation. Returns whether it succeeded. */
    boolean perform(BlockingClient client, int index, long intendedStart) {
        try {
            succeeded(index, operation.perform(client, account(index), base + index), intendedStart);
            return true;
        } catch (Exception e) {
            failed(e);
            return false;
        }
    }

    private long account(int index) {
        return (base + index * STRIDE) % Accounts.ROWS;
    }

    private void succeeded(int index, long value, long intendedStart) {
        latencies.since(intendedStart);
        checksum.add(value * (index + 1));
        left.countDown();
    }

    private void failed(Throwable cause) {
        failure.compareAndSet(null, cause);
        next.set(operations);
        while (left.getCount() > 0) {
            left.countDown();
        }
    }

    /** Waits until all operations have succeeded and returns a checksum of what they gave. */
    long await() throws InterruptedException {
        boolean ended = left.await(MINUTES, TimeUnit.MINUTES);
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("an operation failed", cause);
        }
        if (!ended) {
            throw new IllegalStateException(left.getCount() + " operations did not end in " + MINUTES + " minutes");
        }
        return checksum.sum();
    }
}
