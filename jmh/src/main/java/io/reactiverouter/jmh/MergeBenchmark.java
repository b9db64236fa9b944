package io.reactiverouter.jmh;

import io.r2dbc.spi.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Flux;

/**
 * What does a merge cost for each row, without servers? Sorted rows of {@link MemoryShards}, merged by the router in order and
 * as they come, by Reactor's {@code mergeComparing} alone, and by a priority queue of iterators. An operation is a row.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -jar jmh/target/benchmarks.jar MergeBenchmark -prof gc
 * }</pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class MergeBenchmark {

    private static final int ROWS = 1 << 16;
    private static final int HELD = 256;

    /** Number of shards. */
    @Param({"2", "4", "8", "16", "32", "64"})
    public int shards;

    private @Nullable MemoryShards memory;

    /** Makes the rows, and merges them once to see that they come in order. */
    @Setup
    public void prepare() {
        memory = new MemoryShards(shards, ROWS);
        for (long sum : List.of(routedInOrder(), mergeComparing(), priorityQueue())) {
            if (sum != inOrder()) {
                throw new IllegalStateException("the rows came in another order");
            }
        }
        if (routedAsTheyCome() != (long) ROWS * (ROWS - 1) / 2) {
            throw new IllegalStateException("rows are missing");
        }
    }

    private static long inOrder() {
        long checksum = 0;
        for (long n = 0; n < ROWS; n++) {
            checksum = and(checksum, n);
        }
        return checksum;
    }

    /** Depends on the order. */
    private static long and(long checksum, long n) {
        return checksum * 31 + n;
    }

    private MemoryShards memory() {
        return Objects.requireNonNull(memory);
    }

    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long routedInOrder() {
        return checksum(memory().ordered());
    }

    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long routedAsTheyCome() {
        return Objects.requireNonNull(
                memory().asTheyCome().reduce(0L, Long::sum).block());
    }

    /** The numbers by themselves: no keys, no checks, no account of shards. */
    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long mergeComparing() {
        List<Flux<Long>> parts = new ArrayList<>();
        for (int i = 0; i < shards; i++) {
            parts.add(Flux.fromIterable(memory().rows(i))
                    .map(MergeBenchmark::number)
                    .hide());
        }
        @SuppressWarnings({"unchecked", "rawtypes"})
        Flux<Long>[] sources = parts.toArray(new Flux[0]);
        return checksum(Flux.mergeComparing(HELD, Comparator.<Long>naturalOrder(), sources));
    }

    /** Without demand, errors or cancel. */
    @Benchmark
    @OperationsPerInvocation(ROWS)
    public long priorityQueue() {
        PriorityQueue<Head> heads = new PriorityQueue<>(shards);
        for (int i = 0; i < shards; i++) {
            Iterator<Row> rows = memory().rows(i).iterator();
            heads.add(new Head(number(rows.next()), rows));
        }
        long checksum = 0;
        for (Head head = heads.poll(); head != null; head = heads.poll()) {
            checksum = and(checksum, head.n);
            if (head.rows.hasNext()) {
                heads.add(new Head(number(head.rows.next()), head.rows));
            }
        }
        return checksum;
    }

    private static long checksum(Flux<Long> merged) {
        return Objects.requireNonNull(merged.reduce(0L, MergeBenchmark::and).block());
    }

    private static Long number(Row row) {
        return Objects.requireNonNull(row.get(0, Long.class));
    }

    private record Head(long n, Iterator<Row> rows) implements Comparable<Head> {

        @Override
        public int compareTo(Head other) {
            return Long.compare(n, other.n);
        }
    }
}
