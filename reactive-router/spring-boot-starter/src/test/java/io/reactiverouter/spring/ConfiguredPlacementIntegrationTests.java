package io.reactiverouter.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.Query;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.test.ShardsExtension;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.context.ConfigurableApplicationContext;

/** Rows that are written through routers of properties are where the servers, too, say they belong. */
@NullUnmarked
class ConfiguredPlacementIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(3);

    private static final String CITIES = "--reactive-router.keyspaces.cities.";
    private static final String EVENTS = "--reactive-router.keyspaces.events.";

    @Test
    void rowsAreWhereTheirRegionAndItsPinsSay() {
        SpringShards.sql(SHARDS, "create table cities (id bigint, country text)");
        try (ConfigurableApplicationContext context = SpringShards.start(
                SHARDS,
                "geographic",
                "--reactive-router.shards.s0.region=eu",
                "--reactive-router.shards.s1.region=us",
                "--reactive-router.shards.s2.region=us",
                CITIES + "key=id",
                CITIES + "tables=cities",
                CITIES + "strategy=geographic",
                CITIES + "region-column=country",
                CITIES + "default-region=eu",
                CITIES + "pins[us/7]=s0")) {
            ShardRouter router = context.getBean("citiesShardRouter", ShardRouter.class);
            for (long id = 0; id < 30; id++) {
                String country = List.of("eu", "us", "br").get((int) id % 3);
                insert(
                        router,
                        ShardKey.inRegion(country, ShardKey.of(id)),
                        Query.of("insert into cities values ($1, $2)", id, country));
            }

            assertThat(SpringShards.numbers(SHARDS, "select count(*) from cities where country in ('eu', 'br')"))
                    .containsExactly(20L, 0L, 0L);
            assertThat(SpringShards.numbers(SHARDS, "select count(*) from cities where country = 'us'"))
                    .startsWith(1L);
            assertNothingIsMisplaced(router, 30);
        }
    }

    @Test
    void rowsAreWhereTheirRangeAndItsPinsSay() {
        SpringShards.sql(SHARDS, "create table events (id bigint)");
        try (ConfigurableApplicationContext context = SpringShards.start(
                SHARDS,
                "ranges",
                EVENTS + "key=id",
                EVENTS + "tables=events",
                EVENTS + "strategy=ranges",
                EVENTS + "ranges[0].to=10",
                EVENTS + "ranges[0].shard=s2",
                EVENTS + "ranges[1].shard=s0",
                EVENTS + "pins.3=s1")) {
            ShardRouter router = context.getBean("eventsShardRouter", ShardRouter.class);
            for (long id = 0; id < 30; id++) {
                insert(router, ShardKey.of(id), Query.of("insert into events values ($1)", id));
            }

            assertThat(SpringShards.numbers(SHARDS, "select count(*) from events"))
                    .containsExactly(20L, 1L, 9L);
            assertNothingIsMisplaced(router, 30);
        }
    }

    private static void insert(ShardRouter router, ShardKey key, Query insert) {
        router.shard(key).update(insert).block(SpringShards.TIMEOUT);
    }

    private static void assertNothingIsMisplaced(ShardRouter router, long rows) {
        List<TableAudit> audit = router.audit().collectList().block(SpringShards.TIMEOUT);
        assertThat(audit).extracting(TableAudit::misplaced).containsOnly(0L);
        assertThat(audit.stream().mapToLong(TableAudit::rows).sum()).isEqualTo(rows);
    }
}
