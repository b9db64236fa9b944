package io.reactiverouter.jmh;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.order.SortPlan;
import io.reactiverouter.order.SortValues;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it cost to compare the sort keys of two rows, as a merge does? One key of each type, random values; a server is
 * asked what the type is, and not used after that.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar ComparatorBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class ComparatorBenchmark {

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int VALUES = 1 << 12;

    /** Type of the key in PostgreSQL. */
    @Param({"bigint", "numeric", "text", "timestamptz", "uuid"})
    public String type = "bigint";

    private final SortValues[] values = new SortValues[VALUES];
    private @Nullable SortPlan plan;
    private int next;

    /** Asks a server for the order, and makes values. */
    @Setup
    public void prepare() {
        SortPlan described = describe();
        Random random = new Random(1);
        for (int i = 0; i < VALUES; i++) {
            values[i] = described.decode(new @Nullable String[] {text(random)});
        }
        plan = described;
    }

    private SortPlan describe() {
        String sql = "select null::" + type + (type.equals("text") ? " collate \"C\"" : "") + " as k";
        try (EmbeddedShards shards = EmbeddedShards.start(1)) {
            Shard shard = Shard.named("s0").primary(shards.node(0).r2dbcUrl());
            ShardCluster cluster = ShardCluster.builder().shard(shard).build();
            SortPlan described = cluster.shard(shard.id())
                    .withConnection(connection ->
                            SortPlan.describe(connection, sql, new @Nullable Object[0], List.of(SortKey.asc("k"))))
                    .block(LIMIT);
            cluster.close().block(LIMIT);
            return Objects.requireNonNull(described);
        }
    }

    private String text(Random random) {
        return switch (type) {
            case "bigint" -> Long.toString(random.nextLong());
            case "numeric" -> random.nextInt(1_000_000) + "." + random.nextInt(100);
            case "text" -> "customer-" + random.nextInt(1_000_000);
            case "timestamptz" ->
                Instant.ofEpochSecond(random.nextInt(2_000_000_000))
                        .toString()
                        .replace("T", " ")
                        .replace("Z", "+00");
            default -> new UUID(random.nextLong(), random.nextLong()).toString();
        };
    }

    /** Two values beside each other. */
    @Benchmark
    public int compare() {
        int left = next;
        next = (left + 1) & (VALUES - 1);
        return Objects.requireNonNull(plan).compare(values[left], values[next]);
    }
}
