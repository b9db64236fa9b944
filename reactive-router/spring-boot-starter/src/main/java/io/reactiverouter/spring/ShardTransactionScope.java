package io.reactiverouter.spring;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.topology.ShardId;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.springframework.r2dbc.connection.ConnectionHolder;
import org.springframework.transaction.ReactiveTransaction;
import org.springframework.transaction.reactive.TransactionSynchronizationManager;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Tells the cluster, through the Reactor context, that work runs inside a Spring transaction on one shard. Only the work
 * sees it: begin, commit and rollback run outside, so that the transaction manager never asks for the connection of the
 * transaction that it is about to make.
 */
final class ShardTransactionScope {

    private final ShardId shard;
    private final Function<Context, Context> mark;
    private final List<Object> marks;

    ShardTransactionScope(ShardCluster cluster, ShardId shard, ConnectionFactory factory) {
        this.shard = shard;
        this.mark = cluster.inTransactionOf(shard, boundConnection(factory));
        this.marks = mark.apply(Context.empty()).stream()
                .<Object>map(Map.Entry::getKey)
                .toList();
    }

    ShardId shard() {
        return shard;
    }

    /** Says whether a Spring transaction of this scope is around. */
    boolean isEntered(ContextView context) {
        return context.hasKey(this);
    }

    /** Says whether any transaction of the cluster is around: on whichever shard, begun by whomever. */
    boolean isInsideAny(ContextView context) {
        return marks.stream().anyMatch(context::hasKey);
    }

    /** Returns the context in which the work of a transaction runs; some propagations make none. */
    Context workContext(ReactiveTransaction transaction, Context context) {
        if (transaction.hasTransaction()) {
            return mark.apply(context).put(this, shard);
        }
        return isEntered(context) ? left(context) : context;
    }

    /** Returns the context without the transaction, in which calls get connections of their own. */
    Context left(Context context) {
        Context result = context.delete(this);
        for (Object key : marks) {
            result = result.delete(key);
        }
        return result;
    }

    /** Finds what Spring has bound; unlike Spring's own lookup it never makes a new connection. */
    private static Mono<Connection> boundConnection(ConnectionFactory factory) {
        return TransactionSynchronizationManager.forCurrentTransaction()
                .flatMap(current -> Mono.justOrEmpty((ConnectionHolder) current.getResource(factory)))
                .map(ConnectionHolder::getConnection)
                .switchIfEmpty(Mono.error(() ->
                        new IllegalStateException("the transaction has ended or is suspended; nothing can join it")));
    }
}
