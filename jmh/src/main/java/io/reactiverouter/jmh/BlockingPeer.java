package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A client that blocks, with a number of threads in a closed loop. */
record BlockingPeer(BlockingClient client, ExecutorService executor, int threads) implements Peer {

    /** Returns one with platform threads, which an open loop waits for. */
    static BlockingPeer ofPlatformThreads(BlockingClient client, int threads) {
        return new BlockingPeer(client, Executors.newFixedThreadPool(threads), threads);
    }

    @Override
    public void closedLoop(Run run) {
        for (int i = 0; i < threads; i++) {
            executor.execute(() -> performAll(run));
        }
    }

    private void performAll(Run run) {
        boolean succeeded = true;
        for (int index = run.take(); succeeded && index < run.operations(); index = run.take()) {
            succeeded = run.perform(client, index, System.nanoTime());
        }
    }

    @Override
    public void start(Run run, int index, long intendedStart) {
        executor.execute(() -> run.perform(client, index, intendedStart));
    }

    @Override
    public void close() throws SQLException {
        executor.shutdown();
        client.close();
    }
}
