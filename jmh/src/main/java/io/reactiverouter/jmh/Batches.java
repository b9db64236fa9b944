package io.reactiverouter.jmh;

import java.util.concurrent.locks.LockSupport;

/** The batches of one peer, one after the other. */
final class Batches {

    private static final long NANOS_PER_SECOND = 1_000_000_000;

    private final Peer peer;
    private final Operation operation;
    private final int operations;
    private final Latencies latencies = new Latencies();
    private int number;

    Batches(Peer peer, Operation operation, int operations) {
        this.peer = peer;
        this.operation = operation;
        this.operations = operations;
    }

    int operations() {
        return operations;
    }

    Latencies latencies() {
        return latencies;
    }

    /** Runs the next batch as fast as the peer can. Returns a checksum of the answers. */
    long closedLoop() throws InterruptedException {
        Run run = next();
        peer.closedLoop(run);
        return run.await();
    }

    /**
     * Runs the next batch with so many operations each second, however long they take. Latency counts from when an operation
     * was to start, so that one that has to wait for others is not taken for a fast one. Returns a checksum of the answers.
     */
    long openLoop(int rate) throws InterruptedException {
        Run run = next();
        long start = System.nanoTime();
        for (int index = run.take(); index < operations; index = run.take()) {
            long intended = start + index * NANOS_PER_SECOND / rate;
            for (long left = intended - System.nanoTime(); left > 0; left = intended - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            peer.start(run, index, intended);
        }
        return run.await();
    }

    private Run next() {
        return new Run(operation, operations, number++, latencies);
    }
}
