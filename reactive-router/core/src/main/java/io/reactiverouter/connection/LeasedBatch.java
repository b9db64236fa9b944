package io.reactiverouter.connection;

import io.r2dbc.spi.Batch;
import io.r2dbc.spi.Result;
import java.util.function.Consumer;
import org.reactivestreams.Publisher;

/** A batch of a {@link LeasedConnection}. */
final class LeasedBatch implements Batch {

    private final Batch batch;
    private final Lease lease;
    private final Consumer<String> noted;

    /**
     * @param noted told of each statement
     */
    LeasedBatch(Batch batch, Lease lease, Consumer<String> noted) {
        this.batch = batch;
        this.lease = lease;
        this.noted = noted;
    }

    @Override
    public LeasedBatch add(String sql) {
        noted.accept(sql);
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
