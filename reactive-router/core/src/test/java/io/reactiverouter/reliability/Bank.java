package io.reactiverouter.reliability;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Row;
import io.reactiverouter.Query;
import io.reactiverouter.ShardOperations;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.TransactionOptions;
import io.reactiverouter.reliability.Operation.Kind;
import io.reactiverouter.strategy.ShardKey;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The tables, and what the calls of the workload do with them. */
final class Bank {

    static final int ACCOUNTS = 4;
    static final long OPENING_BALANCE = 1_000_000;
    static final int NOTES = 150;

    /** Neither ledger nor increments keep an id from coming twice: the checker must see what has run twice. */
    static final String TABLES = """
            create table accounts (user_id bigint, account int, balance bigint not null, primary key (user_id, account));
            create table ledger (op_id bigint not null, user_id bigint not null, source int, target int, amount bigint);
            create table counters (user_id bigint primary key, value bigint not null);
            create table increments (op_id bigint not null, user_id bigint not null);
            create table notes (user_id bigint, n int, body text, primary key (user_id, n));
            """;

    private static final String OWNER = "reliability.owner";

    private final ShardRouter router;
    private final BiConsumer<Violation, String> violations;

    Bank(ShardRouter router, BiConsumer<Violation, String> violations) {
        this.router = router;
        this.violations = violations;
    }

    /** Returns the statements that give these users their rows. */
    static List<String> rowsOf(List<Long> users) {
        String each = " from unnest(array" + users + "::bigint[]) u";
        return List.of(
                "insert into accounts select u, a, " + OPENING_BALANCE + each + ", generate_series(0, " + (ACCOUNTS - 1)
                        + ") a",
                "insert into counters select u, 0" + each,
                "insert into notes select u, n, repeat(md5(n::text), 8)" + each + ", generate_series(1, " + NOTES
                        + ") n");
    }

    /** Returns the call of an operation, which ends when it ends. */
    Publisher<?> call(Operation operation) {
        ShardOperations shard = router.shard(ShardKey.of(operation.user())).timeout(operation.timeout());
        return switch (operation.kind()) {
            case TRANSFER ->
                shard.inTransactionMany(TransactionOptions.DEFAULTS, connection -> transfer(connection, operation))
                        .doOnNext(rows -> operation.signal());
            case INCREMENT ->
                shard.update(increment(operation)).doOnNext(rows -> {
                    operation.signal();
                    one(rows, operation);
                });
            case ABANDON ->
                shard.withConnectionMany(connection -> abandon(connection, operation))
                        .doOnNext(rows -> operation.signal());
            case READ -> read(shard, operation);
            case STREAM -> stream(shard, operation);
            case SESSION -> shard.withConnectionMany(connection -> session(connection, operation));
        };
    }

    private Mono<Long> transfer(Connection connection, Operation operation) {
        int source = (int) (operation.id() % ACCOUNTS);
        int target = (int) ((source + 1 + operation.id() / ACCOUNTS % (ACCOUNTS - 1)) % ACCOUNTS);
        long amount = 1 + operation.id() % 97;
        // In one order, whichever way the money goes: no two transfers wait for each other.
        int first = Math.min(source, target);
        int second = Math.max(source, target);
        return change(connection, operation, first, first == source ? -amount : amount)
                .then(change(connection, operation, second, second == source ? -amount : amount))
                .then(enter(connection, operation, source, target, amount))
                // With and without a value: one that comes before the commit keeps the whole from being made again.
                .filter(rows -> operation.id() % 2 == 0)
                .doOnSuccess(rows -> operation.workIsComplete());
    }

    private Mono<Long> change(Connection connection, Operation operation, int account, long by) {
        return Query.of(
                        "update accounts set balance = balance + $1 where user_id = $2 and account = $3",
                        by,
                        operation.user(),
                        account)
                .update(connection)
                .doOnNext(rows -> one(rows, operation));
    }

    private static Mono<Long> enter(Connection connection, Operation operation, int source, int target, long amount) {
        return Query.of(
                        "insert into ledger values ($1, $2, $3, $4, $5)",
                        operation.id(),
                        operation.user(),
                        source,
                        target,
                        amount)
                .update(connection);
    }

    private void one(long rows, Operation operation) {
        if (rows != 1) {
            violations.accept(Violation.WRONG_ANSWER, rows + " rows written in place of one: " + operation);
        }
    }

    private static Query increment(Operation operation) {
        return Query.of(
                "with counted as (update counters set value = value + 1 where user_id = $1 returning user_id)"
                        + " insert into increments select $2, user_id from counted",
                operation.user(),
                operation.id());
    }

    private static Mono<Long> abandon(Connection connection, Operation operation) {
        return Query.of("begin")
                .update(connection)
                .then(enter(connection, operation, 0, 1, 1))
                .doOnSuccess(rows -> operation.workIsComplete());
    }

    private Flux<Long> read(ShardOperations shard, Operation operation) {
        AtomicInteger rows = new AtomicInteger();
        AtomicLong sum = new AtomicLong();
        return shard.query(
                        Query.of(
                                        "select user_id, balance from accounts where user_id ="
                                                + " coalesce(nullif(current_setting('" + OWNER
                                                + "', true), '')::bigint, $1)",
                                        operation.user())
                                .fetchSize(0),
                        row -> {
                            rows.incrementAndGet();
                            return sum.addAndGet(number(row, "balance")) + owned(row, operation);
                        })
                .doOnComplete(() -> {
                    if (rows.get() != ACCOUNTS || sum.get() != ACCOUNTS * OPENING_BALANCE) {
                        violations.accept(
                                Violation.WRONG_ANSWER,
                                rows + " accounts with " + sum + " in all, in place of " + ACCOUNTS + " with "
                                        + ACCOUNTS * OPENING_BALANCE + ": " + operation);
                    }
                });
    }

    private Flux<Integer> stream(ShardOperations shard, Operation operation) {
        AtomicInteger last = new AtomicInteger();
        return shard.query(
                        Query.of("select user_id, n, body from notes where user_id = $1 order by n", operation.user())
                                .fetchSize(32),
                        row -> {
                            owned(row, operation);
                            int n = Objects.requireNonNull(row.get("n", Integer.class));
                            if (n != last.incrementAndGet()) {
                                violations.accept(
                                        Violation.WRONG_ANSWER, "row " + n + " in place of " + last + ": " + operation);
                            }
                            return n;
                        })
                .doOnComplete(() -> {
                    if (last.get() != NOTES) {
                        violations.accept(
                                Violation.WRONG_ANSWER,
                                "complete after " + last + " of " + NOTES + " rows: " + operation);
                    }
                });
    }

    private Flux<Long> session(Connection connection, Operation operation) {
        return Query.of("select set_config('" + OWNER + "', $1, false)", Long.toString(operation.user()))
                .fetch(connection, row -> 0L)
                .thenMany(Query.of(
                                "select user_id from accounts where user_id = current_setting('" + OWNER + "')::bigint")
                        .fetchSize(0)
                        .fetch(connection, row -> owned(row, operation)));
    }

    private long owned(Row row, Operation operation) {
        operation.signal();
        long user = number(row, "user_id");
        if (user != operation.user()) {
            violations.accept(Violation.ROWS_OF_OTHERS, "a row of key " + user + " was read: " + operation);
        }
        return user;
    }

    private static long number(Row row, String column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }

    /** Says whether an acknowledgement of this kind means that something is in the database. */
    static boolean leavesARow(Kind kind) {
        return kind == Kind.TRANSFER || kind == Kind.INCREMENT;
    }
}
