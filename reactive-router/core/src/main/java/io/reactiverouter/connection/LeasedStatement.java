package io.reactiverouter.connection;

import io.r2dbc.spi.Blob;
import io.r2dbc.spi.Clob;
import io.r2dbc.spi.Parameter;
import io.r2dbc.spi.Parameters;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import io.reactiverouter.connection.ResultReader.Rest;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** A statement of a {@link LeasedConnection}. */
final class LeasedStatement implements Statement {

    private final Statement statement;
    private final Lease lease;
    private boolean bound;
    private boolean repeated;
    private boolean cursor;
    private boolean large;

    LeasedStatement(Statement statement, Lease lease) {
        this.statement = statement;
        this.lease = lease;
    }

    @Override
    public LeasedStatement add() {
        statement.add();
        repeated = true;
        return this;
    }

    @Override
    public LeasedStatement bind(int index, Object value) {
        statement.bind(index, leased(value));
        bound = true;
        return this;
    }

    @Override
    public LeasedStatement bind(String name, Object value) {
        statement.bind(name, leased(value));
        bound = true;
        return this;
    }

    @Override
    public LeasedStatement bindNull(int index, Class<?> type) {
        statement.bindNull(index, type);
        bound = true;
        return this;
    }

    @Override
    public LeasedStatement bindNull(String name, Class<?> type) {
        statement.bindNull(name, type);
        bound = true;
        return this;
    }

    @Override
    public LeasedStatement returnGeneratedValues(String... columns) {
        statement.returnGeneratedValues(columns);
        return this;
    }

    @Override
    public LeasedStatement fetchSize(int rows) {
        statement.fetchSize(rows);
        cursor = rows > 0;
        return this;
    }

    /**
     * The driver sends a statement with parameters when its result is asked for, so that is refused too after the end of the
     * lease. It sends others at once; their results must be read, since they are the answers that stand before all others.
     */
    @Override
    public Publisher<? extends Result> execute() {
        if (repeated) {
            // All of it is read anyway, and the driver would cut the results off whose statement somebody has left.
            statement.fetchSize(0);
        }
        Publisher<? extends Result> results = statement.execute();
        if (!bound) {
            return lease.sending(results, cursor && !repeated);
        }
        Rest rest = rest();
        boolean withLargeObjects = large;
        return lease.within(Flux.from(results).map(result -> new LeasedResult(result, lease, rest, withLargeObjects)));
    }

    private Rest rest() {
        if (repeated) {
            // The driver sends the next set of parameters only after the end of the results of the one before.
            return Rest.READ;
        }
        return cursor ? Rest.CLOSED : Rest.CANCELLED;
    }

    private Object leased(Object value) {
        if (value instanceof Blob blob) {
            large = true;
            return new LeasedBlob(blob, lease);
        }
        if (value instanceof Clob clob) {
            large = true;
            return new LeasedClob(clob, lease);
        }
        if (value instanceof Parameter parameter) {
            @Nullable Object inner = parameter.getValue();
            return inner instanceof Blob || inner instanceof Clob
                    ? Parameters.in(parameter.getType(), leased(inner))
                    : value;
        }
        return value;
    }

    private record LeasedBlob(Blob blob, Lease lease) implements Blob {

        @Override
        public Publisher<ByteBuffer> stream() {
            return lease.part(blob.stream());
        }

        @Override
        public Publisher<Void> discard() {
            // It belongs to the part: the driver waits for it too.
            return lease.part(blob.discard());
        }
    }

    private record LeasedClob(Clob clob, Lease lease) implements Clob {

        @Override
        public Publisher<CharSequence> stream() {
            return lease.part(clob.stream());
        }

        @Override
        public Publisher<Void> discard() {
            return lease.part(clob.discard());
        }
    }

    @Override
    public String toString() {
        return statement.toString();
    }
}
