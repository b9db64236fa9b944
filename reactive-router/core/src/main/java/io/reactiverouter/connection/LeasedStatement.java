package io.reactiverouter.connection;

import io.r2dbc.spi.Result;
import io.r2dbc.spi.Statement;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

/** A statement of a {@link LeasedConnection}. */
final class LeasedStatement implements Statement {

    private final Statement statement;
    private final Lease lease;

    LeasedStatement(Statement statement, Lease lease) {
        this.statement = statement;
        this.lease = lease;
    }

    @Override
    public LeasedStatement add() {
        statement.add();
        return this;
    }

    @Override
    public LeasedStatement bind(int index, Object value) {
        statement.bind(index, value);
        return this;
    }

    @Override
    public LeasedStatement bind(String name, Object value) {
        statement.bind(name, value);
        return this;
    }

    @Override
    public LeasedStatement bindNull(int index, Class<?> type) {
        statement.bindNull(index, type);
        return this;
    }

    @Override
    public LeasedStatement bindNull(String name, Class<?> type) {
        statement.bindNull(name, type);
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
        return this;
    }

    @Override
    public Publisher<? extends Result> execute() {
        return results(statement.execute(), lease);
    }

    /** Results too: the driver sends some statements only when their result is asked for. */
    static Publisher<Result> results(Publisher<? extends Result> source, Lease lease) {
        return lease.within(Flux.from(source).map(result -> new LeasedResult(result, lease)));
    }

    @Override
    public String toString() {
        return statement.toString();
    }
}
