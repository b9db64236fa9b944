package io.reactiverouter.connection;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Result;
import org.reactivestreams.Publisher;

/** A batch of a {@link LeasedConnection}. */
final class LeasedBatch implements Batch {

    private final Batch batch;
    private final Lease lease;

    LeasedBatch(Batch batch, Lease lease) {
        this.batch = batch;
        this.lease = lease;
    }

    @Override
    public LeasedBatch add(String sql) {
        batch.add(sql);
        return this;
    }

    @Override
    public Publisher<? extends Result> execute() {
        return lease.sending(batch.execute(), false);
    }

    @Override
    public String toString() {
        return batch.toString();
    }
}
