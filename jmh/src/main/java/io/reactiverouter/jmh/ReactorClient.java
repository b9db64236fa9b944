package io.reactiverouter.jmh;

import reactor.core.publisher.Mono;

/** A client of which each operation is a {@link Mono}. */
abstract class ReactorClient implements AsyncClient {

    abstract Mono<Long> read(long account);

    abstract Mono<Long> write(long account, long balance);

    abstract Mono<Long> post(long account, long balance);

    @Override
    public final void read(long account, Completion completion) {
        subscribe(read(account), completion);
    }

    @Override
    public final void write(long account, long balance, Completion completion) {
        subscribe(write(account, balance), completion);
    }

    @Override
    public final void post(long account, long balance, Completion completion) {
        subscribe(post(account, balance), completion);
    }

    private static void subscribe(Mono<Long> operation, Completion completion) {
        operation.single().subscribe(completion::succeeded, completion::failed);
    }
}
