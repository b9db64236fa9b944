package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.connection.TlsMode;
import io.reactiverouter.strategy.KeyType;
import io.reactiverouter.topology.ReadPreference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Properties of the cluster and its keyspaces. {@link #toString()} shows no password.
 *
 * <p>They only hold what was configured: values are checked when the cluster is built, so that an error names its property
 * and no other value.
 *
 * @param shards Shards by name, each with url, username, password or password-file, weight, region, replicas and tags, and with pool and
 *     connection where they differ from those of the cluster. Their order, which strategies use, is that of the names: numbers in them count by value,
 *     so s2 comes before s10.
 * @param keyspaces Keyspaces by name, each with key, tables and strategy, and what the strategy needs: key-type,
 *     virtual-nodes, region-column, default-region, ranges and pins; and where queries read from: read-preference and max-lag.
 * @param singleShard Name of a shard that is used alone, as a single database for every keyspace; the others are not connected to.
 *     Rows stay where they are. All shards are used unless set.
 * @param name Name of the cluster. Where it is set, every database must say in the table reactive_router.identity which shard
 *     of this cluster it is; ShardCluster.writeIdentities() writes that down.
 * @param pool Pool of connections that every node has.
 * @param connection How every connection is opened.
 * @param health How nodes are watched.
 * @param failover How calls wait while a shard has no primary that answers.
 * @param retry How calls are run again, and how many may be.
 * @param reads How reads find a node.
 * @param callTimeout Time limit of calls through routers that set none themselves; 0 is no limit. Clients and transactions
 *     of Spring have none but the statement timeout.
 * @param eventLoops Event loops, and so threads, that all connections share. The number of cores, at least 4, unless set.
 * @param cursorKey Secret that signs the cursors of pages over several shards: at least 32 characters, the same in every
 *     instance. Unless set each start makes its own, and cursors are good for nobody else.
 * @param schema Migrations of the schema of all shards, with Flyway.
 * @param warmup Whether to connect to the primary of every shard at start, before the first call. A shard that cannot be
 *     reached is logged and does not stop the start.
 */
@ConfigurationProperties(ReactiveRouterProperties.PREFIX)
public record ReactiveRouterProperties(
        @DefaultValue Map<String, Shard> shards,
        @DefaultValue Map<String, Keyspace> keyspaces,
        @Nullable String singleShard,
        @Nullable String name,
        @DefaultValue Pool pool,
        @DefaultValue Connection connection,
        @DefaultValue Health health,
        @DefaultValue Failover failover,
        @DefaultValue Retry retry,
        @DefaultValue Reads reads,
        @DefaultValue("30s") Duration callTimeout,
        @Nullable Integer eventLoops,
        @Nullable String cursorKey,
        @DefaultValue Schema schema,
        @DefaultValue("false") boolean warmup) {

    static final String PREFIX = "reactive-router";

    /** Leaves out the key of cursors. */
    @Override
    public String toString() {
        return "ReactiveRouterProperties[shards=" + shards + ", keyspaces=" + keyspaces + ", singleShard=" + singleShard
                + ", name=" + name + ", pool="
                + pool
                + ", connection=" + connection + ", health=" + health + ", failover=" + failover + ", retry=" + retry
                + ", reads=" + reads + ", callTimeout="
                + callTimeout + ", eventLoops=" + eventLoops
                + ", schema=" + schema + ", warmup=" + warmup + "]";
    }

    /**
     * A shard.
     *
     * @param url R2DBC URL of the primary, as in r2dbc:postgresql://app@db0:5432/app.
     * @param username Login name on every node of the shard, in place of the one in the URL.
     * @param password Password on every node of the shard, in place of the one in the URL.
     * @param passwordFile File that holds the password, in place of password. Read for each connection that is opened, so that
     *     it can change without a restart.
     * @param weight Share of rows relative to the other shards.
     * @param region Where the shard is, as in eu-west.
     * @param replicas R2DBC URLs of the replicas.
     * @param tags Free labels.
     * @param pool What is different in the pools of this shard's nodes.
     * @param connection What is different in how connections to this shard's nodes are opened.
     */
    public record Shard(
            @Nullable String url,
            @Nullable String username,
            @Nullable String password,
            @Nullable Path passwordFile,
            @DefaultValue("1") int weight,
            @Nullable String region,
            @DefaultValue List<String> replicas,
            @DefaultValue Map<String, String> tags,
            @Nullable ShardPool pool,
            @Nullable ShardConnection connection) {

        /** Leaves out URLs and password, either of which may hold a secret. */
        @Override
        public String toString() {
            return "Shard[username=" + username + ", weight=" + weight + ", region=" + region + ", replicas="
                    + replicas.size() + ", tags=" + tags + ", pool=" + pool + ", connection=" + connection + "]";
        }
    }

    /**
     * A keyspace.
     *
     * @param key Column that decides placement; every table of the keyspace has it.
     * @param strategy Rule from key to shard: hash-slots, modulo, md5, consistent-hash, geographic or ranges.
     * @param tables Tables of the keyspace.
     * @param keyType Type of the keys, which says how those of ranges and pins are read: integer, text, uuid or timestamp.
     *     Integer unless set.
     * @param virtualNodes Points on the ring for each unit of a shard's weight, for consistent-hash. 150 unless set.
     * @param regionColumn Column with the region of each row, for geographic; every table of the keyspace has it.
     * @param defaultRegion Region that takes the keys of regions without a shard, for geographic. Unless set, such keys are
     *     refused.
     * @param ranges Ranges of keys in ascending order, without a gap, for ranges.
     * @param pins Shards by key: each of these keys is on that shard, whatever the strategy says. For geographic the key
     *     comes after its region, as in eu/42. A key with other characters than letters, digits, - and _ stands in brackets, as in
     *     pins[eu/42].
     * @param readPreference Nodes that queries read from: primary, replica, prefer-replica or nearest. Queries of the keyspace
     *     must then only read. Unless set they go to the primary and may write.
     * @param maxLag How far a replica may be behind to be read from, where read-preference is set. No limit unless set.
     */
    public record Keyspace(
            @Nullable String key,
            @DefaultValue("hash-slots") String strategy,
            @DefaultValue List<String> tables,
            @Nullable KeyType keyType,
            @Nullable Integer virtualNodes,
            @Nullable String regionColumn,
            @Nullable String defaultRegion,
            @DefaultValue List<Range> ranges,
            @DefaultValue Map<String, String> pins,
            ReadPreference.@Nullable From readPreference,
            @Nullable Duration maxLag) {}

    /**
     * A range of keys on one shard.
     *
     * @param from Lowest key. The first range has no lower end unless this is set; the others begin where the one before
     *     ends and need not say so.
     * @param to First key above the range. May be missing in the last, which then has no upper end.
     * @param shard Name of the shard.
     */
    public record Range(
            @Nullable String from,
            @Nullable String to,
            @Nullable String shard) {}

    /**
     * The pool of a node.
     *
     * @param minSize Connections that a pool opens with its first use and keeps.
     * @param maxSize Connections of a pool at most.
     * @param maxPending Callers that may wait while all connections are in use; the next one fails at once.
     * @param acquireTimeout How long a caller waits for a connection, opening one included.
     * @param maxIdleTime Time after which an unused connection is closed.
     * @param maxLifetime Time after which a connection is closed when it comes back.
     * @param leakThreshold Time after which a connection that is out of the pool is reported in the log; 0 is never.
     */
    public record Pool(
            @DefaultValue("0") int minSize,
            @DefaultValue("10") int maxSize,
            @DefaultValue("1000") int maxPending,
            @DefaultValue("5s") Duration acquireTimeout,
            @DefaultValue("10m") Duration maxIdleTime,
            @DefaultValue("30m") Duration maxLifetime,
            @DefaultValue("0s") Duration leakThreshold) {}

    /**
     * What is different in the pools of one shard; what is not set is as in {@link Pool}.
     *
     * @param minSize Connections that a pool opens with its first use and keeps.
     * @param maxSize Connections of a pool at most.
     * @param maxPending Callers that may wait while all connections are in use; the next one fails at once.
     * @param acquireTimeout How long a caller waits for a connection, opening one included.
     * @param maxIdleTime Time after which an unused connection is closed.
     * @param maxLifetime Time after which a connection is closed when it comes back.
     * @param leakThreshold Time after which a connection that is out of the pool is reported in the log; 0 is never.
     */
    public record ShardPool(
            @Nullable Integer minSize,
            @Nullable Integer maxSize,
            @Nullable Integer maxPending,
            @Nullable Duration acquireTimeout,
            @Nullable Duration maxIdleTime,
            @Nullable Duration maxLifetime,
            @Nullable Duration leakThreshold) {}

    /**
     * How connections are opened.
     *
     * @param connectTimeout How long opening a connection may take, login included.
     * @param statementTimeout Time after which the server ends a statement, reading a streamed result included; 0 is no limit.
     * @param tls How much TLS: disable, prefer, require, verify-ca or verify-full.
     * @param applicationName Name of the application in pg_stat_activity.
     */
    public record Connection(
            @DefaultValue("5s") Duration connectTimeout,
            @DefaultValue("0s") Duration statementTimeout,
            @DefaultValue("prefer") TlsMode tls,
            @DefaultValue("reactive-router") String applicationName) {}

    /**
     * What is different in how connections to one shard are opened; what is not set is as in {@link Connection}.
     *
     * @param connectTimeout How long opening a connection may take, login included.
     * @param statementTimeout Time after which the server ends a statement, reading a streamed result included; 0 is no limit.
     * @param tls How much TLS: disable, prefer, require, verify-ca or verify-full.
     * @param applicationName Name of the application in pg_stat_activity.
     */
    public record ShardConnection(
            @Nullable Duration connectTimeout,
            @Nullable Duration statementTimeout,
            @Nullable TlsMode tls,
            @Nullable String applicationName) {}

    /**
     * How nodes are watched.
     *
     * @param interval Time from the end of one probe of a node to the next, give or take a tenth.
     * @param timeout How long a probe may take, opening its connection included.
     * @param failures After how many failed probes in a row a node is ejected.
     * @param maxLag How far a replica may be behind before it counts as lagging.
     */
    public record Health(
            @DefaultValue("5s") Duration interval,
            @DefaultValue("2s") Duration timeout,
            @DefaultValue("3") int failures,
            @DefaultValue("10s") Duration maxLag) {}

    /**
     * How calls wait for a primary.
     *
     * @param maxWait How long a call that has not run waits for a primary at most; 0 is not at all.
     * @param maxWaiting How many calls of a shard may wait; the next one fails at once.
     */
    public record Failover(
            @DefaultValue("10s") Duration maxWait,
            @DefaultValue("1000") int maxWaiting) {}

    /**
     * How calls are run again: those that their owners permit to be, and those that have provably done nothing.
     *
     * @param backoff Pause before the first retry of a call; each further one is twice as long, give or take a half.
     * @param maxBackoff The longest pause.
     * @param percent How many retries a hundred calls permit.
     * @param perSecond How many retries are permitted each second beside those.
     */
    public record Retry(
            @DefaultValue("20ms") Duration backoff,
            @DefaultValue("1s") Duration maxBackoff,
            @DefaultValue("10") int percent,
            @DefaultValue("10") int perSecond) {}

    /**
     * How reads find a node.
     *
     * @param region Where this application is, for read-preference nearest. Nowhere in particular unless set.
     * @param catchUp How long a read waits on a replica for a write that it must see, before it goes to another node.
     */
    public record Reads(
            @Nullable String region, @DefaultValue("100ms") Duration catchUp) {}

    /**
     * Migrations of the schema of all shards, with Flyway.
     *
     * @param migrateOnStart Whether to apply the scripts that are missing, at start, before anything uses the shards. A shard
     *     that cannot be reached, or a script that fails, stops the start.
     * @param validateOnStart Whether to look, at start, that every shard has exactly the scripts. One that differs stops the start.
     * @param locations Where the scripts of the shards are.
     * @param username Login that applies scripts to the shards, in place of theirs; that of the owner of the schema.
     * @param password Its password.
     * @param passwordFile File that holds its password, in place of password. Read for each connection that is opened.
     * @param canary Shard that is migrated before the others, alone. The first one unless set.
     * @param concurrency Shards that are worked on at the same time, after the canary.
     * @param turnTimeout How long a database is waited for while another instance migrates it.
     * @param lockTimeout How long a statement of a script waits for a lock; 0 is no limit.
     * @param statementTimeout Time after which the server ends a statement of a script; 0 is no limit.
     * @param placeholders What stands in scripts for ${name}, by name.
     * @param schemas Schemas that Flyway cares for, the first of them with its table. The login's own unless set.
     * @param table Name of Flyway's table.
     * @param baseline Version that a database is taken to have which has tables and no table of Flyway's. Unless set, such a
     *     database is an error.
     * @param ignored Schemas, and relations as in schema.name, that the comparison of the shards leaves out.
     * @param main The database beside the shards.
     */
    public record Schema(
            @DefaultValue("false") boolean migrateOnStart,
            @DefaultValue("false") boolean validateOnStart,
            @DefaultValue("classpath:db/shards") List<String> locations,
            @Nullable String username,
            @Nullable String password,
            @Nullable Path passwordFile,
            @Nullable String canary,
            @DefaultValue("4") int concurrency,
            @DefaultValue("10m") Duration turnTimeout,
            @DefaultValue("30s") Duration lockTimeout,
            @DefaultValue("1h") Duration statementTimeout,
            @DefaultValue Map<String, String> placeholders,
            @DefaultValue List<String> schemas,
            @DefaultValue("flyway_schema_history") String table,
            @Nullable String baseline,
            @DefaultValue List<String> ignored,
            @DefaultValue Main main) {

        /** Leaves out the password and the values of placeholders. */
        @Override
        public String toString() {
            return "Schema[migrateOnStart=" + migrateOnStart + ", validateOnStart=" + validateOnStart + ", locations="
                    + locations + ", username=" + username + ", canary=" + canary + ", concurrency=" + concurrency
                    + ", turnTimeout=" + turnTimeout + ", lockTimeout=" + lockTimeout + ", statementTimeout="
                    + statementTimeout + ", placeholders=" + placeholders.keySet() + ", schemas=" + schemas
                    + ", table=" + table + ", baseline=" + baseline + ", ignored=" + ignored + ", main=" + main + "]";
        }
    }

    /**
     * The database beside the shards, for the migrations of its schema.
     *
     * @param url R2DBC URL of the database, as in r2dbc:postgresql://app@main:5432/app. Unless set there is none to migrate.
     * @param username Login name, in place of the one in the URL.
     * @param password Password, in place of the one in the URL.
     * @param passwordFile File that holds the password, in place of password. Read for each connection that is opened.
     * @param locations Where its scripts are.
     */
    public record Main(
            @Nullable String url,
            @Nullable String username,
            @Nullable String password,
            @Nullable Path passwordFile,
            @DefaultValue("classpath:db/main") List<String> locations) {

        /** Leaves out URL and password, either of which may hold a secret. */
        @Override
        public String toString() {
            return "Main[username=" + username + ", locations=" + locations + "]";
        }
    }
}
