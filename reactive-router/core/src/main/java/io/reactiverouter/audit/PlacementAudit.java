package io.reactiverouter.audit;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.IsolationLevel;
import io.r2dbc.spi.Readable;
import io.r2dbc.spi.Statement;
import io.reactiverouter.audit.TableAudit.Misplaced;
import io.reactiverouter.connection.AnswerTimeout;
import io.reactiverouter.connection.Deadline;
import io.reactiverouter.connection.LimitedWork;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.connection.ShardExecutor.Residue;
import io.reactiverouter.routing.Placement;
import io.reactiverouter.strategy.KeyColumn;
import io.reactiverouter.strategy.KeyType;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.SqlPredicate;
import io.reactiverouter.strategy.UnroutableKeyException;
import io.reactiverouter.stream.Sequential;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Counts the rows of a keyspace that are not where its placement says. Where the strategy has an SQL form the servers count
 * and send only the answer; otherwise the keys are streamed and placed here, one at a time. Memory does not grow with the
 * tables.
 */
public final class PlacementAudit {

    private static final Logger LOG = Loggers.getLogger(PlacementAudit.class);
    private static final int CONCURRENCY = 4;
    private static final int FETCH_SIZE = 4_096;
    private static final Duration LIMIT = Duration.ofHours(1);

    /** Whether the table exists, and the type of the column; that below all domains if it is one. */
    private static final String KEY_TYPE = "select to_regclass($1) is not null,"
            + " (with recursive base (type) as ("
            + "select atttypid from pg_attribute"
            + " where attrelid = to_regclass($1) and attname = $2 and attnum > 0 and not attisdropped"
            + " union all select t.typbasetype from base join pg_type t on t.oid = base.type where t.typtype = 'd')"
            + " select format_type(base.type, null) from base join pg_type t on t.oid = base.type"
            + " where t.typtype <> 'd')";

    private final ShardExecutor executor;
    private final Function<ShardId, NodeId> nodes;

    /** Runs on {@code executor}; {@code nodes} says which node answers for a shard at the moment. */
    public PlacementAudit(ShardExecutor executor, Function<ShardId, NodeId> nodes) {
        this.executor = executor;
        this.nodes = nodes;
    }

    /**
     * Audits every table of the placement's keyspace on each of these shards. A shard on which the placement puts nothing
     * need not have the tables.
     *
     * @param examples how many misplaced rows to list for each table and shard
     */
    public Flux<TableAudit> run(Placement placement, List<ShardId> shards, int examples) {
        Keyspace keyspace = placement.keyspace();
        if (keyspace.tables().isEmpty()) {
            return Flux.error(new IllegalArgumentException("keyspace " + keyspace.name()
                    + " names no tables, so there is nothing to audit; set them with Keyspace.tables"));
        }
        // One connection of a shard, whatever the number of tables.
        return Flux.fromIterable(shards)
                .flatMap(
                        shard -> Sequential.of(
                                keyspace.tables(),
                                table -> run(new Job(placement, shard, table), examples)
                                        .flux()),
                        CONCURRENCY,
                        1)
                // A caller's onErrorContinue would leave out a shard.
                .onErrorStop();
    }

    private record Job(Placement placement, ShardId shard, String table) {

        ShardingStrategy strategy() {
            return placement.strategy();
        }

        String quotedTable() {
            return placement.keyspace().quoted(table);
        }

        boolean isExpected() {
            return strategy().shards().contains(shard);
        }
    }

    private Mono<TableAudit> run(Job job, int examples) {
        return Flux.deferContextual(context -> {
                    LimitedWork<TableAudit> work = new LimitedWork<>(connection -> audit(connection, job, examples));
                    Flux<TableAudit> audit = executor.execute(nodes.apply(job.shard()), Residue.NONE, work);
                    return AnswerTimeout.limit(audit, job.shard(), LIMIT, Deadline.of(context), work::consequence);
                })
                .singleOrEmpty();
    }

    private static Flux<TableAudit> audit(Connection connection, Job job, int examples) {
        return Flux.concat(List.of(
                Mono.from(connection.beginTransaction(IsolationLevel.REPEATABLE_READ))
                        .then(Mono.empty()),
                column(connection, job).flatMap(column -> count(connection, job, column, examples)),
                Mono.from(connection.commitTransaction()).then(Mono.empty())));
    }

    /** Returns the key column of a table, nothing if the table is missing where it may be. */
    private static Mono<KeyColumn> column(Connection connection, Job job) {
        Keyspace keyspace = job.placement().keyspace();
        return rows(
                        connection
                                .createStatement(KEY_TYPE)
                                .bind("$1", job.quotedTable())
                                .bind("$2", keyspace.keyColumn()),
                        row -> new ColumnType(Boolean.TRUE.equals(row.get(0, Boolean.class)), row.get(1, String.class)))
                .single()
                .flatMap(found -> found.tableExists() || job.isExpected()
                        ? Mono.just(KeyColumn.of(keyspace.keyColumn(), found.keyType(job))
                                .withRegion(keyspace.regionColumn()))
                        : Mono.empty());
    }

    private record ColumnType(boolean tableExists, @Nullable String name) {

        KeyType keyType(Job job) {
            String where = "table " + job.table() + " on shard " + job.shard();
            if (!tableExists) {
                throw new IllegalArgumentException(where + " does not exist; create it, or take it out of keyspace "
                        + job.placement().keyspace().name());
            }
            String column = job.placement().keyspace().keyColumn();
            if (name == null) {
                throw new IllegalArgumentException(where + " has no column " + column + ", the key of keyspace "
                        + job.placement().keyspace().name());
            }
            return switch (name) {
                case "smallint", "integer", "bigint" -> KeyType.INTEGER;
                case "text", "character varying" -> KeyType.TEXT;
                case "uuid" -> KeyType.UUID;
                case "timestamp with time zone" -> KeyType.TIMESTAMP;
                default ->
                    throw new IllegalArgumentException("column " + column + " of " + where + " is of type " + name
                            + ", which holds no sharding keys; use bigint, text, uuid or timestamptz");
            };
        }
    }

    private static Mono<TableAudit> count(Connection connection, Job job, KeyColumn column, int examples) {
        SqlPredicate belongs = job.isExpected() ? job.strategy().rowsOf(job.shard(), column) : SqlPredicate.of("false");
        return belongs.isAvailable()
                ? countOnServer(connection, job, column, belongs.where(), examples)
                : countHere(connection, job, column, examples);
    }

    private static Mono<TableAudit> countOnServer(
            Connection connection, Job job, KeyColumn column, String belongs, int examples) {
        String from = " from " + job.quotedTable();
        String misplaced = "(" + belongs + ") is not true";
        return rows(
                        connection.createStatement("select count(*), count(*) filter (where " + misplaced + ")" + from),
                        row -> new TableAudit(job.shard(), job.table(), number(row, 0), number(row, 1), List.of()))
                .single()
                .flatMap(counts -> counts.misplaced() == 0 || examples == 0
                        ? Mono.just(counts)
                        : rows(
                                        connection.createStatement("select " + columns(column) + from + " where "
                                                + misplaced + " limit " + examples),
                                        row -> where(job, column, row))
                                .collectList()
                                .map(counts::withExamples));
    }

    private static Mono<TableAudit> countHere(Connection connection, Job job, KeyColumn column, int examples) {
        return rows(
                        connection
                                .createStatement("select " + columns(column) + " from " + job.quotedTable())
                                .fetchSize(FETCH_SIZE),
                        row -> where(job, column, row))
                .collect(Count::new, (count, row) -> count.add(row, job.shard(), examples))
                .map(count -> new TableAudit(job.shard(), job.table(), count.rows, count.misplaced, count.examples));
    }

    private static final class Count {

        private final List<Misplaced> examples = new ArrayList<>();
        private long rows;
        private long misplaced;

        void add(Misplaced row, ShardId shard, int limit) {
            rows++;
            if (!shard.equals(row.belongsTo())) {
                misplaced++;
                if (examples.size() < limit) {
                    examples.add(row);
                }
            }
        }
    }

    private static String columns(KeyColumn column) {
        String region = column.region();
        return region == null
                ? column.sql()
                : column.sql() + ", " + KeyColumn.of(region, KeyType.TEXT).sql();
    }

    private static Misplaced where(Job job, KeyColumn column, Readable row) {
        ShardKey id = null;
        try {
            id = id(column, row);
            String region = column.region() == null ? null : row.get(1, String.class);
            return where(job.strategy(), UnroutableKeyException.requireNonNull(id), region);
        } catch (UnroutableKeyException e) {
            return new Misplaced(id, null, e.getMessage());
        }
    }

    /** A strategy takes keys either with a region or without; only it knows which. */
    private static Misplaced where(ShardingStrategy strategy, ShardKey id, @Nullable String region) {
        ShardKey key = region == null ? id : ShardKey.inRegion(region, id);
        try {
            return new Misplaced(key, strategy.locate(key), null);
        } catch (UnroutableKeyException withRegion) {
            if (region != null) {
                try {
                    return new Misplaced(id, strategy.locate(id), null);
                } catch (UnroutableKeyException without) {
                    LOG.debug("key {} has no shard without its region either", id, without);
                }
            }
            return new Misplaced(key, null, withRegion.getMessage());
        }
    }

    private static @Nullable ShardKey id(KeyColumn column, Readable row) {
        switch (column.type()) {
            case INTEGER -> {
                Long value = row.get(0, Long.class);
                return value == null ? null : ShardKey.of(value);
            }
            case TEXT -> {
                String value = row.get(0, String.class);
                return value == null ? null : ShardKey.of(value);
            }
            case UUID -> {
                UUID value = row.get(0, UUID.class);
                return value == null ? null : ShardKey.of(value);
            }
            case TIMESTAMP -> {
                Instant value = row.get(0, Instant.class);
                return value == null ? null : ShardKey.of(value);
            }
        }
        throw new IllegalStateException("key type " + column.type());
    }

    private static long number(Readable row, int index) {
        return Objects.requireNonNull(row.get(index, Long.class));
    }

    private static <T> Flux<T> rows(Statement statement, Function<? super Readable, ? extends T> mapper) {
        return Flux.from(statement.execute()).concatMap(result -> result.map(mapper), 1);
    }
}
