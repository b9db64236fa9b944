package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static io.reactiverouter.TestClusters.awaitQuiet;
import static io.reactiverouter.order.SortKey.asc;
import static io.reactiverouter.order.SortKey.desc;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.AmbiguousPageException;
import io.reactiverouter.scatter.InvalidCursorException;
import io.reactiverouter.scatter.Page;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import reactor.test.StepVerifier;

/** An order over several shards page by page. */
@NullUnmarked
class PageIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String APP = "page-tests";
    private static final int DEPTH = 1_000_000;
    private static final byte[] KEY = new byte[32];

    private static ShardCluster cluster;
    private static ShardRouter router;

    @BeforeAll
    static void open() {
        TestClusters.sql(SHARDS, "create type grade as enum ('low', 'middle', 'high')");
        for (int i = 0; i < 3; i++) {
            ShardNode node = SHARDS.node(i);
            TestClusters.sql(
                    node,
                    "create table few as select n as id, nullif(n % 7, 3) as a, nullif((n % 5)::text, '2') as b,"
                            + " (array['low', 'middle', 'high', null])[1 + n % 4]::grade as g,"
                            + " (case n % 9 when 0 then 'NaN' when 1 then 'Infinity' else (n % 3)::text end)::float8 as f,"
                            + " timestamptz '2026-01-01' + n % 11 * interval '1 microsecond' as t"
                            + " from generate_series(" + i + ", 599, 3) n");
        }
        cluster = TestClusters.over(SHARDS, APP)
                .pool(PoolSettings.DEFAULTS.withMaxSize(1))
                .cursorKey(KEY)
                .build();
        router = cluster.router(Keyspace.named("few").key("id").strategy(ShardingStrategy.modulo()));
    }

    @AfterEach
    void nothingIsLeftBehind() {
        awaitQuiet(cluster, SHARDS, APP);
    }

    @AfterAll
    static void close() {
        cluster.close().block(TIMEOUT);
    }

    static Stream<Arguments> orders() {
        List<SortKey[]> orders = new ArrayList<>();
        for (String column : List.of("a", "g", "f", "t")) {
            orders.add(new SortKey[] {asc(column), asc("id")});
            orders.add(new SortKey[] {desc(column), asc("id")});
            orders.add(new SortKey[] {asc(column).nullsFirst(), desc("id")});
            orders.add(new SortKey[] {desc(column).nullsLast(), desc("id")});
        }
        orders.add(new SortKey[] {asc("b").collateC(), desc("a"), asc("g").nullsFirst(), asc("id")});
        orders.add(new SortKey[] {desc("f"), asc("b").collateC().nullsFirst(), desc("id")});
        orders.add(new SortKey[] {desc("id")});
        return orders.stream().map(order -> Arguments.of((Object) order));
    }

    @ParameterizedTest
    @MethodSource("orders")
    void pagesGiveEveryRowOnceInOrder(SortKey[] order) {
        Query few = Query.of("select * from few");
        List<Long> all = router.allShards()
                .orderBy(order)
                .query(few, row -> row.get("id", Long.class))
                .collectList()
                .block(TIMEOUT);
        assertThat(all).hasSize(600);
        for (int size : new int[] {7, 100, 600, 10_000}) {
            assertThat(pages(order, few, size)).as("pages of %d", size).isEqualTo(all);
        }
    }

    private static List<Long> pages(SortKey[] order, Query query, int size) {
        List<Long> rows = new ArrayList<>();
        String cursor = null;
        do {
            Page<Long> page = page(order, query, size, cursor);
            assertThat(page.manifest().isComplete()).isTrue();
            assertThat(page.isLast() || page.rows().size() == size).isTrue();
            rows.addAll(page.rows());
            cursor = page.next();
        } while (cursor != null);
        return rows;
    }

    private static Page<Long> page(SortKey[] order, Query query, int size, String cursor) {
        return router.allShards()
                .orderBy(order)
                .page(size)
                .after(cursor)
                .query(query, row -> row.get("id", Long.class))
                .block(TIMEOUT);
    }

    @Test
    void insertsAndDeletesElsewhereNeitherHideNorRepeatRows() {
        TestClusters.sql(SHARDS, "create table moving (id bigint primary key)");
        for (int i = 0; i < 3; i++) {
            TestClusters.sql(
                    SHARDS.node(i), "insert into moving select n * 10 from generate_series(" + (i + 1) + ", 300, 3) n");
        }
        Query query = Query.of("select id from moving");
        List<Long> rows = new ArrayList<>();
        String cursor = null;
        int round = 0;
        do {
            Page<Long> page = page(new SortKey[] {asc("id")}, query, 17, cursor);
            rows.addAll(page.rows());
            cursor = page.next();
            // Before the place where we are, on every shard; and one that has been read goes away.
            TestClusters.sql(SHARDS, "insert into moving values (" + (-1 - round) + ")");
            TestClusters.sql(
                    SHARDS, "delete from moving where id = " + page.rows().get(0));
            round++;
        } while (cursor != null);

        assertThat(rows)
                .isEqualTo(IntStream.rangeClosed(1, 300).mapToObj(n -> n * 10L).toList());
    }

    /** Pages that a server looked for from the beginning would read more of its index the deeper they are. */
    @Test
    void deepPagesCostWhatTheFirstOneCosts() {
        SortKey[] order = {asc("a"), desc("b"), asc("id")};
        Query query = Query.of("select id, a, b from many");
        // The last rows come first: a cursor behind some of them is one million deep as soon as the others are there.
        TestClusters.sql(SHARDS, "create table many (id int, a int, b int)");
        TestClusters.sql(SHARDS, "create index on many (a, b desc, id)");
        insertMany(DEPTH, DEPTH + 3_000);
        String deep = page(order, query, 100, null).next();
        insertMany(0, DEPTH);
        TestClusters.sql(SHARDS, "vacuum analyze many");
        String second = page(order, query, 100, null).next();

        long shallowReads = reads(() -> page(order, query, 100, second));
        long deepReads = reads(() -> assertThat(page(order, query, 100, deep).rows())
                .startsWith(DEPTH + 100L)
                .hasSize(100));

        assertThat(shallowReads).isPositive();
        assertThat(deepReads).as("blocks read on all shards").isLessThan(shallowReads * 3 / 2 + 10);
    }

    private static void insertMany(int from, int to) {
        for (int i = 0; i < 3; i++) {
            TestClusters.sql(
                    SHARDS.node(i),
                    "insert into many select n, n / 100000, -n / 1000 from generate_series(" + (from + i) + ", "
                            + (to - 1) + ", 3) n");
        }
    }

    /** Returns how many blocks of the table's indexes, and the table, all servers have read, from memory or not. */
    private static long reads(Runnable work) {
        long before = blocks();
        work.run();
        return blocks() - before;
    }

    private static long blocks() {
        ScatterOperations all = router.allShards();
        // One connection a shard, so this is the session that has read, and it makes its figures known.
        all.query(Query.of("select 1 where pg_stat_force_next_flush() is null"), row -> 1)
                .blockLast(TIMEOUT);
        return all.query(
                        Query.of("select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint"
                                + " from pg_statio_user_tables where relname = 'many'"),
                        row -> row.get(0, Long.class))
                .reduce(0L, Long::sum)
                .block(TIMEOUT);
    }

    @Test
    void cursorsThatWereChangedOrBelongElsewhereAreRefused() {
        SortKey[] order = {asc("id")};
        Query few = Query.of("select * from few");
        String cursor = page(order, few, 10, null).next();
        byte[] other = KEY.clone();
        other[0] = 1;

        refused(order, few, "x" + cursor, "page cursor");
        refused(order, few, "", "incomplete");
        refused(order, few, "%%%", "not one that this library has written");
        refused(order, few, cursor.substring(0, 20), "incomplete");
        refused(order, few, "A".repeat(20_000), "longer than");
        for (int i = 0; i < cursor.length() - 1; i++) {
            char changed = cursor.charAt(i) == 'A' ? 'B' : 'A';
            refused(order, few, cursor.substring(0, i) + changed + cursor.substring(i + 1), "was changed");
        }
        refused(new SortKey[] {desc("id")}, few, cursor, "another query or order");
        refused(order, Query.of("select * from few where a = 1"), cursor, "another query or order");
        ShardCluster elsewhere = TestClusters.over(SHARDS, APP).cursorKey(other).build();
        try {
            StepVerifier.create(elsewhere
                            .allShards()
                            .orderBy(order)
                            .page(10)
                            .after(cursor)
                            .query(few, row -> 1))
                    .expectErrorSatisfies(error -> assertThat(error).hasMessageContaining("signed with another key"))
                    .verify(TIMEOUT);
        } finally {
            elsewhere.close().block(TIMEOUT);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ShardCluster.builder().cursorKey(new byte[31]))
                .withMessageContaining("at least 32 bytes, has 31");
    }

    private static void refused(SortKey[] order, Query query, String cursor, String message) {
        StepVerifier.create(
                        router.allShards().orderBy(order).page(10).after(cursor).query(query, row -> 1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .as(cursor)
                        .isInstanceOf(InvalidCursorException.class)
                        .hasMessageContaining(message))
                .verify(TIMEOUT);
    }

    @Test
    void orderThatIsNotUniqueIsAnErrorWhereItWouldLoseRows() {
        StepVerifier.create(
                        router.allShards().orderBy(asc("a")).page(10).query(Query.of("select * from few"), row -> 1))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(AmbiguousPageException.class)
                        .hasMessageContaining("add a unique column"))
                .verify(TIMEOUT);
    }

    @Test
    void pagesOfNoSizeAndWithoutAnOrderAreErrors() {
        for (int rows : new int[] {0, -1, 10_001}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> router.allShards().orderBy(asc("id")).page(rows))
                    .withMessageContaining("from 1 to 10000 rows, was " + rows);
        }
        StepVerifier.create(router.allShards().page(10).query(Query.of("select * from few"), row -> 1))
                .expectError(IllegalArgumentException.class)
                .verify(TIMEOUT);
    }
}
