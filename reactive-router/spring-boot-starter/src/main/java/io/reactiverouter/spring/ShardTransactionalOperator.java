package io.reactiverouter.spring;

import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.reactive.TransactionCallback;
import org.springframework.transaction.reactive.TransactionalOperator;
import reactor.core.publisher.Flux;

/** Runs work in a transaction of one shard, and lets the cluster know. */
final class ShardTransactionalOperator implements TransactionalOperator {

    private final TransactionalOperator delegate;
    private final ShardTransactionScope scope;

    ShardTransactionalOperator(ShardTransactionManager transactions, TransactionDefinition definition) {
        this.delegate = TransactionalOperator.create(transactions, definition);
        this.scope = transactions.scope();
    }

    @Override
    public <T> Flux<T> execute(TransactionCallback<T> action) {
        return delegate.execute(transaction -> Flux.from(action.doInTransaction(transaction))
                .contextWrite(context -> scope.workContext(transaction, context)));
    }

    @Override
    public String toString() {
        return "ShardTransactionalOperator[" + scope.shard() + "]";
    }
}
