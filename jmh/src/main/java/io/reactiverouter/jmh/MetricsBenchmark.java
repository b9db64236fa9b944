package io.reactiverouter.jmh;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.CallKind;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.observation.SqlLog;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.Shard;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Flux;

/**
 * What do meters add to a call? The call and its one attempt, as the starter lets them be watched, with nothing inside: no
 * database, so that the difference is not lost in the noise of one. Compare with the time of a routed read, which is that of
 * {@link PointReadBenchmark} on the same machine.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar MetricsBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class MetricsBenchmark {

    private static final String SQL = "select balance from accounts where account_id = $1";
    private static final NodeCall ATTEMPT = new NodeCall(
            Shard.named("s0")
                    .primary("r2dbc:postgresql://app@db0/app")
                    .primary()
                    .id(),
            NodeRole.PRIMARY);

    private final CallMetrics metrics = new CallMetrics(new SimpleMeterRegistry());
    private final CallInstrumentation starter = CallInstrumentation.of(List.of(metrics, new SqlLog(null)));

    /** Without instrumentation. */
    @Benchmark
    public @Nullable Long bare() {
        return Flux.just(1L).hide().blockLast();
    }

    /** With meters, the wait for a connection among them, and with the log of statements switched off. */
    @Benchmark
    public @Nullable Long metered() {
        metrics.acquired(ATTEMPT.node(), 1_000);
        CallInfo call = new CallInfo("accounts", CallKind.SINGLE, "query", SQL);
        return starter.call(call, starter.attempt(ATTEMPT, Flux.just(1L).hide()))
                .blockLast();
    }
}
