package io.reactiverouter.jmh;

import java.sql.SQLException;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** An operation on one account, 64 in flight: through the router, and with the same r2dbc-pool by hand. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(3)
public abstract class RoutedBenchmark {

    static final int OPERATIONS = 8_192;

    private static final int IN_FLIGHT = 64;

    private final Operation operation;
    private @Nullable Accounts accounts;
    private @Nullable AsyncClient client;
    private @Nullable Batches batches;

    RoutedBenchmark(Operation operation) {
        this.operation = operation;
    }

    /** Starts two shards and fills them. */
    @Setup
    public void start() throws SQLException {
        accounts = Accounts.start();
    }

    /** Stops everything. */
    @TearDown
    public void stop() {
        Objects.requireNonNull(client).close();
        Objects.requireNonNull(accounts).close();
    }

    /** Through the router. */
    @Benchmark
    @OperationsPerInvocation(OPERATIONS)
    public long routed() throws InterruptedException {
        return run(RouterClient::new);
    }

    /** With the pool by hand. */
    @Benchmark
    @OperationsPerInvocation(OPERATIONS)
    public long byHand() throws InterruptedException {
        return run(R2dbcClient::byHand);
    }

    /** Runs a batch; connects the first time, since a fork runs one benchmark. */
    final long run(Connector connector) throws InterruptedException {
        Batches open = batches;
        if (open == null) {
            AsyncClient connected = connector.connect(Objects.requireNonNull(accounts));
            open = new Batches(new AsyncPeer(connected, IN_FLIGHT), operation, OPERATIONS);
            client = connected;
            batches = open;
        }
        return open.closedLoop();
    }

    /** Opens a client. */
    interface Connector {

        AsyncClient connect(Accounts accounts);
    }
}
