package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.reactiverouter.connection.WrongDatabaseException;
import io.reactiverouter.topology.NodeId;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What a database says of itself, in a table of one row: which shard of which cluster it is.
 *
 * @param cluster name of the cluster
 * @param shard name of the shard
 */
record Identity(String cluster, String shard) {

    static final String TABLE = "reactive_router.identity";

    private static final Query QUESTION =
            Query.of("select cluster, shard from " + TABLE).fetchSize(0);

    /** The same number in every instance: those that write at the same time do so one after the other. */
    private static final String LOCK = "select pg_advisory_xact_lock(hashtextextended('" + TABLE + "', 0))";

    private static final Query EXISTS =
            Query.of("select (" + existing() + ")::int").fetchSize(0);

    private static final String NO_PRIVILEGE = "42501";

    private static final List<String> TABLES = List.of(
            LOCK,
            "create schema if not exists reactive_router",
            "create table if not exists " + TABLE + " (cluster text not null, shard text not null,"
                    + " one boolean primary key default true check (one))",
            // Every login looks there when it connects.
            "grant usage on schema reactive_router to public",
            "grant select on " + TABLE + " to public");

    /** Returns the condition that the table exists, for logins without any rights on it too. */
    static String existing() {
        return "exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
                + " where n.nspname = 'reactive_router' and c.relname = 'identity')";
    }

    private static Identity of(Row row) {
        return new Identity(
                Objects.requireNonNull(row.get(0, String.class)), Objects.requireNonNull(row.get(1, String.class)));
    }

    /**
     * Completes if this is what is expected of a node.
     *
     * @param expectedCluster null if any will do
     */
    private Mono<Void> require(NodeId node, @Nullable String expectedCluster) {
        return shard.equals(node.shard().value()) && (expectedCluster == null || cluster.equals(expectedCluster))
                ? Mono.empty()
                : Mono.error(new WrongDatabaseException(
                        node,
                        "its database says in table " + TABLE + " that it is shard " + shard + " of cluster " + cluster
                                + (expectedCluster == null ? "" : ", and should be one of cluster " + expectedCluster),
                        "correct the URL, or that row if the shard has a new name"));
    }

    /**
     * Completes if the database that a connection has reached is the right one.
     *
     * @param hasTable whether the database has the table
     * @param cluster the cluster's name, null if it has none: then databases without the table will do
     */
    static Mono<Void> check(NodeId node, Connection connection, boolean hasTable, @Nullable String cluster) {
        if (hasTable) {
            return QUESTION.fetch(connection, Identity::of)
                    .next()
                    .onErrorMap(Identity::isNoPrivilege, error -> unreadable(node, error))
                    .switchIfEmpty(Mono.error(() -> missing(node)))
                    .flatMap(found -> found.require(node, cluster));
        }
        return cluster == null ? Mono.empty() : Mono.error(missing(node));
    }

    private static boolean isNoPrivilege(Throwable error) {
        return error instanceof R2dbcException refusal && NO_PRIVILEGE.equals(refusal.getSqlState());
    }

    private static WrongDatabaseException unreadable(NodeId node, Throwable error) {
        return new WrongDatabaseException(
                node,
                "its login may not read which shard the database is (" + error.getMessage() + ")",
                "grant usage on schema reactive_router and select on " + TABLE + " to it");
    }

    private static WrongDatabaseException missing(NodeId node) {
        return new WrongDatabaseException(
                node,
                "its database does not say which shard it is",
                "if it is the right one, have ShardCluster.writeIdentities() write that down once");
    }

    /** Writes down which shard a database is, unless it says so already; fails if it says something else. */
    static Mono<Void> write(NodeId node, Connection connection, String cluster) {
        return EXISTS.fetch(connection, row -> Objects.requireNonNull(row.get(0, Integer.class)))
                .single()
                .flatMap(exists -> exists == 0 ? create(node, connection, cluster) : Mono.empty())
                .then(Mono.defer(() -> check(node, connection, true, cluster)));
    }

    private static Mono<Void> create(NodeId node, Connection connection, String cluster) {
        return Flux.concat(List.of(
                        Mono.from(connection.beginTransaction()),
                        Flux.fromIterable(TABLES).concatMap(sql -> execute(connection, sql)),
                        Query.of(
                                        "insert into " + TABLE
                                                + " (cluster, shard) values ($1, $2) on conflict do nothing",
                                        cluster,
                                        node.shard().value())
                                .update(connection)
                                .then(),
                        Mono.from(connection.commitTransaction())))
                .then();
    }

    private static Mono<Void> execute(Connection connection, String sql) {
        return Flux.from(connection.createStatement(sql).execute())
                .flatMap(Result::getRowsUpdated)
                .then();
    }
}
