package io.reactiverouter.reliability;

import io.reactiverouter.reliability.Operation.Kind;
import io.reactiverouter.reliability.Run.Promotion;
import io.reactiverouter.topology.ShardId;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Compares what clients know with what the databases hold when all is mended. */
final class Checker {

    private final Plan plan;
    private final History history;
    private final List<Site> sites;
    private final List<Promotion> promotions;

    /** How often each operation was found. */
    private final Map<Long, Integer> found = new HashMap<>();

    private long lostInWindow;
    private long unknownThatAreThere;

    Checker(Plan plan, History history, List<Site> sites, List<Promotion> promotions) {
        this.plan = plan;
        this.history = history;
        this.sites = sites;
        this.promotions = promotions;
    }

    /**
     * What was found.
     *
     * @param lostInWindow acknowledged by a primary without synchronous replication, and lost with its promotion
     * @param unknownThatAreThere operations that nobody knew of, and that have taken effect
     */
    record Result(long lostInWindow, long unknownThatAreThere) {}

    Result check() {
        Map<Long, Operation> operations = new HashMap<>();
        history.ended().forEach(operation -> operations.put(operation.id(), operation));
        history.open().forEach(operation -> operations.put(operation.id(), operation));
        for (Site site : sites) {
            rows(site, "select op_id, user_id from ledger", row -> count(operations, site, row));
            rows(site, "select op_id, user_id from increments", row -> count(operations, site, row));
            booksBalance(site);
        }
        operations.values().stream()
                .filter(operation -> operation.kind().writes())
                .forEach(this::judge);
        return new Result(lostInWindow, unknownThatAreThere);
    }

    private void count(Map<Long, Operation> operations, Site site, long[] row) {
        found.merge(row[0], 1, Integer::sum);
        Operation operation = operations.get(row[0]);
        if (operation == null) {
            history.violation(
                    Violation.NOT_WANTED,
                    "shard " + site + " has a row of operation " + row[0] + ", which nobody made");
        } else if (operation.user() != row[1] || !operation.shard().equals(site.id())) {
            history.violation(
                    Violation.NOT_WANTED, "on shard " + site + ", for key " + row[1] + ", is a row of " + operation);
        }
    }

    private void judge(Operation operation) {
        int times = found.getOrDefault(operation.id(), 0);
        Outcome outcome = operation.outcome() == null ? Outcome.UNKNOWN : operation.outcome();
        boolean leaves = Bank.leavesARow(operation.kind());
        if (times > 1) {
            history.violation(Violation.DONE_TWICE, "done " + times + " times: " + operation);
        } else if (times == 1 && (!leaves || outcome == Outcome.FAILED)) {
            history.violation(Violation.NOT_WANTED, operation.toString());
        } else if (times == 0 && leaves && outcome == Outcome.ACKNOWLEDGED) {
            if (inWindow(operation)) {
                lostInWindow++;
            } else {
                history.violation(Violation.LOST, operation + ended(operation));
            }
        } else if (times == 1 && outcome == Outcome.UNKNOWN) {
            unknownThatAreThere++;
        }
    }

    private String ended(Operation operation) {
        return promotions.stream()
                .filter(promotion -> promotion.shard().equals(operation.shard())
                        && promotion.begin() - operation.begin() < 0
                        && operation.begin() - promotion.end() < 0)
                .map(promotion -> ", " + Duration.ofNanos(operation.end() - promotion.end())
                        + " after the cluster had found the next primary")
                .collect(Collectors.joining());
    }

    /** What a primary acknowledges alone is lost with it, if a promotion comes next: the price of not waiting. */
    private boolean inWindow(Operation operation) {
        return !plan.synchronous() && promotions.stream().anyMatch(promotion -> promotion.covers(operation));
    }

    /** Balances follow from the ledger, and counters from the increments, and both from what clients know. */
    private void booksBalance(Site site) {
        rows(
                site,
                "select user_id, account, balance - " + Bank.OPENING_BALANCE + ", coalesce(sum(amount), 0)::bigint"
                        + " from accounts left join (select user_id, source as account, -amount as amount from ledger"
                        + " union all select user_id, target, amount from ledger) moved using (user_id, account)"
                        + " group by user_id, account, balance",
                row -> {
                    if (row[2] != row[3]) {
                        history.violation(
                                Violation.BOOKS_DO_NOT_BALANCE,
                                "account " + row[1] + " of key " + row[0] + " has changed by " + row[2]
                                        + ", by the ledger it is " + row[3]);
                    }
                });
        Map<Long, Counter> counters = counters(site.id());
        rows(
                site,
                "select user_id, value, count(op_id) from counters left join increments using (user_id)"
                        + " group by user_id, value",
                row -> {
                    Counter counter = counters.getOrDefault(row[0], Counter.ZERO);
                    if (row[1] != row[2] || !counter.allows(row[1])) {
                        history.violation(
                                Violation.BOOKS_DO_NOT_BALANCE,
                                "the counter of key " + row[0] + " is " + row[1] + " after " + row[2]
                                        + " increments, should be " + counter);
                    }
                });
    }

    private record Counter(long least, long most) {

        static final Counter ZERO = new Counter(0, 0);

        Counter plus(Counter other) {
            return new Counter(least + other.least, most + other.most);
        }

        boolean allows(long value) {
            return least <= value && value <= most;
        }
    }

    private Map<Long, Counter> counters(ShardId shard) {
        Map<Long, Counter> counters = new HashMap<>();
        for (Operation operation : history.ended()) {
            if (operation.kind() == Kind.INCREMENT && operation.shard().equals(shard)) {
                boolean sure = operation.outcome() == Outcome.ACKNOWLEDGED && !inWindow(operation);
                boolean possible = operation.outcome() != Outcome.FAILED;
                counters.merge(operation.user(), new Counter(sure ? 1 : 0, possible ? 1 : 0), Counter::plus);
            }
        }
        return counters;
    }

    private interface RowReader {

        void read(long[] row);
    }

    private static void rows(Site site, String sql, RowReader reader) {
        try (Connection connection = site.primary().node().openJdbc();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            int columns = result.getMetaData().getColumnCount();
            while (result.next()) {
                long[] row = new long[columns];
                for (int i = 0; i < columns; i++) {
                    row[i] = result.getLong(i + 1);
                }
                reader.read(row);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(sql + " on shard " + site, e);
        }
    }
}
