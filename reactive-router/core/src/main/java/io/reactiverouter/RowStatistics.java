package io.reactiverouter;

import io.reactiverouter.routing.Placement;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.Gathered;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import reactor.core.publisher.Mono;

/** Asks the planners of all shards about a keyspace; reads no table. */
final class RowStatistics {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    /** A partitioned table has no rows of its own; one that has never been analyzed says -1. */
    private static final String SQL = """
            select coalesce(sum(t.rows), 0)::bigint,
              coalesce(max(case when s.n_distinct < 0 then -s.n_distinct * t.rows else s.n_distinct end), 0)::bigint
            from (
              select n.nspname, c.relname, c.relkind, greatest(0, coalesce(
                (select sum(greatest(l.reltuples, 0)) from pg_partition_tree(c.oid) p join pg_class l on l.oid = p.relid
                  where p.isleaf),
                c.reltuples)) as rows
              from unnest($1::text[]) as named(name)
              join pg_class c on c.oid = to_regclass(named.name)
              join pg_namespace n on n.oid = c.relnamespace) t
            left join pg_stats s on s.schemaname = t.nspname and s.tablename = t.relname and s.attname = $2
              and s.inherited = (t.relkind = 'p')""";

    private RowStatistics() {}

    /** Asks all shards at once; leaves out those that do not answer in time. */
    static Mono<KeyspaceStatistics> of(DefaultShardCluster cluster, Placement placement) {
        Keyspace keyspace = placement.keyspace();
        String[] tables = keyspace.tables().stream().map(keyspace::quoted).toArray(String[]::new);
        return cluster.allShards()
                .onFailure(FailurePolicy.BEST_EFFORT)
                .shardTimeout(LIMIT)
                .gather(Query.of(SQL, tables, keyspace.keyColumn()), row -> new long[] {
                    Objects.requireNonNull(row.get(0, Long.class)), Objects.requireNonNull(row.get(1, Long.class))
                })
                .collectList()
                .map(answer -> statistics(cluster, placement, answer));
    }

    private static KeyspaceStatistics statistics(
            DefaultShardCluster cluster, Placement placement, List<Gathered<long[]>> answer) {
        Map<ShardId, long[]> found = answer.stream()
                .filter(Gathered.Row.class::isInstance)
                .map(part -> (Gathered.Row<long[]>) part)
                .collect(Collectors.toMap(Gathered.Row::shard, Gathered.Row::value));
        List<ShardRows> rows = new ArrayList<>();
        for (Shard shard : cluster.shards()) {
            long[] figures = found.get(shard.id());
            if (figures != null) {
                rows.add(new ShardRows(shard.id(), figures[0], figures[1]));
            }
        }
        Map<ShardId, Integer> weights = cluster.shards().stream().collect(Collectors.toMap(Shard::id, Shard::weight));
        return new KeyspaceStatistics(
                placement.keyspace().name(), placement.epoch(), rows, KeyspaceStatistics.imbalance(rows, weights));
    }
}
