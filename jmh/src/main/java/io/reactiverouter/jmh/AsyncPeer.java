package io.reactiverouter.jmh;

/** A client that does not block, with a number of operations in flight. */
record AsyncPeer(AsyncClient client, int inFlight) implements Peer {

    @Override
    public void closedLoop(Run run) {
        for (int i = 0; i < inFlight; i++) {
            startNext(run);
        }
    }

    private void startNext(Run run) {
        int index = run.take();
        if (index < run.operations()) {
            run.start(client, index, System.nanoTime(), () -> startNext(run));
        }
    }

    @Override
    public void start(Run run, int index, long intendedStart) {
        run.start(client, index, intendedStart, () -> {});
    }

    @Override
    public void close() {
        client.close();
    }
}
