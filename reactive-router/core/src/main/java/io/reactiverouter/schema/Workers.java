package io.reactiverouter.schema;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/**
 * Daemon threads that may block, for one run. A cancel stops no work that has begun: half of a script would be worse than all of
 * it.
 */
final class Workers implements AutoCloseable {

    private final ExecutorService threads;

    Workers(int count) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(count, count, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Workers::daemon);
        pool.allowCoreThreadTimeOut(true);
        this.threads = pool;
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "shard-schema");
        thread.setDaemon(true);
        return thread;
    }

    /** Runs {@code work} on a thread that carries the name of its database meanwhile. */
    <T> Mono<T> call(String database, Supplier<T> work) {
        return Mono.fromFuture(
                () -> CompletableFuture.supplyAsync(
                        () -> {
                            Thread.currentThread().setName("shard-schema-" + database);
                            return work.get();
                        },
                        threads),
                true);
    }

    /** Lets work that has begun come to its end. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
