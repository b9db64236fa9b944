package io.reactiverouter.jmh;

import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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
    private final String[] umlauts = new String[KEYS];
    private final UUID[] uuids = new UUID[KEYS];
    private final Instant[] times = new Instant[KEYS];
    private ShardingStrategy slots = ShardingStrategy.hashSlots().create(shards(1));
    private ShardingStrategy modulo = slots;
    private ShardingStrategy md5 = slots;
    private ShardingStrategy ring = slots;
    private ShardingStrategy ranges = slots;
    private ShardingStrategy timeRanges = slots;
    private ShardingStrategy geographic = slots;
    private ShardingStrategy directory = slots;
    private int next;

    /** Makes strategies and keys. */
    @Setup
    public void prepare() {
        List<Shard> all = shards(shards);
        slots = ShardingStrategy.hashSlots().create(all);
        modulo = ShardingStrategy.modulo().create(all);
        md5 = ShardingStrategy.md5().create(all);
        ring = ShardingStrategy.consistentHash().create(all);
        geographic = ShardingStrategy.geographic().create(all);
        directory = ShardingStrategy.directory(
                        ShardingStrategy.hashSlots(),
                        Map.of(ShardKey.of(1), all.get(0).id()))
                .create(all);
        Ranges.Builder byNumber = Ranges.fromTheLowest();
        Ranges.Builder byTime = Ranges.fromTheLowest();
        for (int i = 1; i < shards; i++) {
            ShardId id = all.get(i).id();
            byNumber.upTo(ShardKey.of(Long.MIN_VALUE + i * (Long.MAX_VALUE / shards * 2)), id);
            byTime.upTo(ShardKey.of(Instant.ofEpochSecond(i * (2_000_000_000L / shards))), id);
        }
        ranges = byNumber.andAbove(all.get(0).id());
        timeRanges = byTime.andAbove(all.get(0).id());
        Random random = new Random(1);
        for (int i = 0; i < KEYS; i++) {
            numbers[i] = random.nextLong();
            texts[i] = "customer-" + random.nextInt(1_000_000);
            umlauts[i] = "gr\u00f6\u00dfe-" + random.nextInt(1_000_000);
            uuids[i] = new UUID(random.nextLong(), random.nextLong());
            times[i] = Instant.ofEpochSecond(random.nextInt(2_000_000_000));
        }
    }

    private static List<Shard> shards(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Shard.named("s" + i)
                        .primary("r2dbc:postgresql://app@db" + i + "/app")
                        .region(i == 0 ? "eu" : "us"))
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

    /** Eight to fifteen ASCII characters. */
    @Benchmark
    public Object slotsOfText() {
        return slots.locate(ShardKey.of(texts[next()]));
    }

    /** Text in Latin-1 with two characters of two bytes in UTF-8. */
    @Benchmark
    public Object slotsOfLatin1Text() {
        return slots.locate(ShardKey.of(umlauts[next()]));
    }

    @Benchmark
    public Object slotsOfUuid() {
        return slots.locate(ShardKey.of(uuids[next()]));
    }

    @Benchmark
    public Object md5OfLong() {
        return md5.locate(ShardKey.of(numbers[next()]));
    }

    @Benchmark
    public Object md5OfText() {
        return md5.locate(ShardKey.of(texts[next()]));
    }

    /** 150 virtual nodes for each shard. */
    @Benchmark
    public Object ringOfLong() {
        return ring.locate(ShardKey.of(numbers[next()]));
    }

    @Benchmark
    public Object ringOfText() {
        return ring.locate(ShardKey.of(texts[next()]));
    }

    /** As many ranges as shards. */
    @Benchmark
    public Object rangesOfLong() {
        return ranges.locate(ShardKey.of(numbers[next()]));
    }

    @Benchmark
    public Object rangesOfTimestamp() {
        return timeRanges.locate(ShardKey.of(times[next()]));
    }

    @Benchmark
    public Object geographicOfLong() {
        int index = next();
        return geographic.locate(ShardKey.inRegion((index & 1) == 0 ? "eu" : "us", ShardKey.of(numbers[index])));
    }

    /** One pin, over slots. */
    @Benchmark
    public Object directoryOfLong() {
        return directory.locate(ShardKey.of(numbers[next()]));
    }
}
