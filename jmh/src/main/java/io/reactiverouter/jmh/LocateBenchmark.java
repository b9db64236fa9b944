package io.reactiverouter.jmh;

import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
 * What does it cost to find the shard of a key? The baseline makes the key and looks nothing up; subtract it.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar LocateBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class LocateBenchmark {

    private static final int KEYS = 1 << 12;

    /** Number of shards. */
    @Param({"3", "64", "1024"})
    public int shards;

    private final long[] numbers = new long[KEYS];
    private final String[] texts = new String[KEYS];
    private final UUID[] uuids = new UUID[KEYS];
    private ShardingStrategy slots = ShardingStrategy.hashSlots().create(shards(1));
    private ShardingStrategy modulo = ShardingStrategy.modulo().create(shards(1));
    private int next;

    /** Makes strategies and keys. */
    @Setup
    public void prepare() {
        List<Shard> all = shards(shards);
        slots = ShardingStrategy.hashSlots().create(all);
        modulo = ShardingStrategy.modulo().create(all);
        Random random = new Random(1);
        for (int i = 0; i < KEYS; i++) {
            numbers[i] = random.nextLong();
            texts[i] = "customer-" + random.nextInt(1_000_000);
            uuids[i] = new UUID(random.nextLong(), random.nextLong());
        }
    }

    private static List<Shard> shards(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Shard.named("s" + i).primary("r2dbc:postgresql://app@db" + i + "/app"))
                .toList();
    }

    private int next() {
        next = (next + 1) & (KEYS - 1);
        return next;
    }

    @Benchmark
    public long baseline() {
        return numbers[next()];
    }

    @Benchmark
    public Object moduloOfLong() {
        return modulo.locate(ShardKey.of(numbers[next()]));
    }

    @Benchmark
    public Object slotsOfLong() {
        return slots.locate(ShardKey.of(numbers[next()]));
    }

    @Benchmark
    public Object slotsOfText() {
        return slots.locate(ShardKey.of(texts[next()]));
    }

    @Benchmark
    public Object slotsOfUuid() {
        return slots.locate(ShardKey.of(uuids[next()]));
    }
}
