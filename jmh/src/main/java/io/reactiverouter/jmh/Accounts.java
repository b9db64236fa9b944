package io.reactiverouter.jmh;

import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Two PostgreSQL servers with accounts by {@code account_id} modulo two, the entries posted to them, and the statements that
 * all peers run. Parameters come in the order in which the statements name them.
 */
final class Accounts implements AutoCloseable {

    static final int ROWS = 100_000;
    /** Connections of a pool, of which each peer has one for a shard. */
    static final int POOL = 16;

    static final String READ = "select balance from accounts where account_id = $1";
    static final String WRITE = "update accounts set balance = $1 where account_id = $2";
    static final String ENTRY = "insert into entries (account_id, amount) values ($1, $2)";

    private static final int SHARDS = 2;

    private final EmbeddedShards shards;

    private Accounts(EmbeddedShards shards) {
        this.shards = shards;
    }

    /** Starts the servers and fills the tables. */
    static Accounts start() throws SQLException {
        Accounts accounts =
                new Accounts(EmbeddedShards.builder(SHARDS).initSql("""
                        create table accounts (account_id bigint primary key, balance bigint not null) with (fillfactor = 50);
                        create table entries (account_id bigint not null, amount bigint not null)""").start());
        accounts.reset();
        return accounts;
    }

    /** Makes the tables what they were at the start. */
    void reset() throws SQLException {
        for (int i = 0; i < SHARDS; i++) {
            try (Connection connection = shards.node(i).openJdbc();
                    Statement statement = connection.createStatement()) {
                statement.execute("truncate accounts, entries");
                statement.execute(
                        "insert into accounts select n, n * 7919 %% %1$d from generate_series(%2$d, %1$d - 1, %3$d) n"
                                .formatted(ROWS, i, SHARDS));
                statement.execute("vacuum analyze accounts");
            }
        }
    }

    /** Returns what the tables hold: the same rows on the same shards give the same text. */
    String contents() {
        List<Long> sums = new ArrayList<>();
        for (ShardNode node : nodes()) {
            sums.add(node.number("select sum(balance * (account_id + 1)) from accounts"));
            sums.add(node.number("select coalesce(sum(amount * (account_id + 1)), 0) from entries"));
            sums.add(node.number("select count(*) from entries"));
        }
        return sums.toString();
    }

    List<ShardNode> nodes() {
        return shards.nodes();
    }

    /** Returns the index of an account's shard. */
    static int shard(long account) {
        return (int) Math.floorMod(account, (long) SHARDS);
    }

    /** Returns the version of the servers. */
    String postgresql() throws SQLException {
        try (Connection connection = shards.node(0).openJdbc();
                Statement statement = connection.createStatement();
                ResultSet version = statement.executeQuery("show server_version")) {
            version.next();
            return version.getString(1);
        }
    }

    @Override
    public void close() {
        shards.close();
    }
}
