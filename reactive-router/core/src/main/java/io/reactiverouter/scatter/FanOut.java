package io.reactiverouter.scatter;

import io.reactiverouter.topology.ShardId;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/**
 * The beginning of a merge that needs a row of every shard before it can deliver one, and so a connection to every shard at
 * the same time. Parts begin one by one:
 *
 * <ul>
 *   <li>each takes its connection after the one before has its own. Calls that all take them in the same order can wait for
 *       each other, but not in a circle, whatever the size of the pools;
 *   <li>not more than a number of them wait for their first row at the same time, since that is when servers work.
 * </ul>
 */
final class FanOut {

    private final Part[] parts;
    private final int bound;
    private final AtomicInteger connected = new AtomicInteger();
    private final AtomicInteger answering = new AtomicInteger();
    private final AtomicInteger draining = new AtomicInteger();
    private final Runnable whenAllHaveAnswered;
    private int next;

    FanOut(int parts, int bound, Runnable whenAllHaveAnswered) {
        this.bound = bound;
        this.whenAllHaveAnswered = whenAllHaveAnswered;
        this.parts = IntStream.range(0, parts).mapToObj(i -> new Part()).toArray(Part[]::new);
    }

    /** Returns the turn of each shard, by name: every call takes its connections in this order. */
    static int[] turns(List<ShardId> shards) {
        int[] turns = new int[shards.size()];
        List<Integer> byName = IntStream.range(0, turns.length)
                .boxed()
                .sorted(Comparator.comparing(shards::get))
                .toList();
        for (int turn = 0; turn < turns.length; turn++) {
            turns[byName.get(turn)] = turn;
        }
        return turns;
    }

    /** Returns part {@code turn} in the order in which connections are taken. */
    Part part(int turn) {
        return parts[turn];
    }

    private void drain() {
        if (draining.getAndIncrement() != 0) {
            return;
        }
        do {
            while (next < parts.length && next <= connected.get() && next < answering.get() + bound) {
                parts[next++].turn.tryEmitValue(true);
            }
        } while (draining.decrementAndGet() != 0);
    }

    /** One shard's part. */
    final class Part {

        private final Sinks.One<Boolean> turn = Sinks.one();
        private final AtomicBoolean hasConnection = new AtomicBoolean();
        private final AtomicBoolean hasAnswered = new AtomicBoolean();

        /** Returns the source, begun when it is this part's turn. */
        <T> Flux<T> begin(Flux<T> source) {
            // After it has ended for everybody: an error that ends the whole call must not begin the next part.
            return turn.asMono()
                    .flatMapMany(go -> source)
                    .doAfterTerminate(this::answered)
                    .doOnSubscribe(subscription -> drain());
        }

        /** The part has its connection. */
        void connected() {
            if (hasConnection.compareAndSet(false, true)) {
                connected.incrementAndGet();
                drain();
            }
        }

        /** The part has its first row, or has ended. */
        void answered() {
            if (hasAnswered.compareAndSet(false, true)) {
                int count = answering.incrementAndGet();
                connected();
                drain();
                if (count == parts.length) {
                    whenAllHaveAnswered.run();
                }
            }
        }
    }
}
