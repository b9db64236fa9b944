package io.reactiverouter.demo.trading;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.ShardRouter;
import io.reactiverouter.audit.TableAudit;
import io.reactiverouter.demo.Permits;
import io.reactiverouter.strategy.Distribution;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Looks at where the users are, and where another strategy would have them. */
@Service
class PlacementService {

    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** With the open streams fewer than a pool has connections: a distribution holds one of each shard, an audit four. */
    private final Permits distributions = new Permits(2, "two distributions are being computed; try again later");

    private final Permits audits = new Permits(1, "an audit is running; try again later");

    private final ShardCluster cluster;
    private final ShardRouter router;

    PlacementService(ShardCluster cluster, ShardRouter router) {
        this.cluster = cluster;
        this.router = router;
    }

    /**
     * Returns how a strategy spreads users of the database.
     *
     * @param name null for the current strategy
     * @param shards how many shards of equal weight to assume, null for those that there are
     * @param sample how many users at most
     */
    Mono<Distribution> distribution(@Nullable StrategyName name, @Nullable Integer shards, int sample) {
        return Mono.fromCallable(() -> strategy(name, shards))
                .flatMap(strategy -> distributions
                        .during(router.allShards()
                                .shardTimeout(LIMIT)
                                .query(UserSample.candidates(sample), UserSample.Candidate::from)
                                .collect(() -> new UserSample(sample), UserSample::add)
                                // Off the event loop, which all connections wait for.
                                .publishOn(Schedulers.parallel())
                                .map(users -> Distribution.of(strategy, users.keys()))
                                .flux())
                        .single());
    }

    private ShardingStrategy strategy(@Nullable StrategyName name, @Nullable Integer shards) {
        ShardingStrategy current = router.placement().strategy();
        if (name == null && shards == null) {
            return current;
        }
        StrategyName wanted = name != null
                ? name
                : StrategyName.of(current)
                        .orElseThrow(() -> new ResponseStatusException(
                                HttpStatus.BAD_REQUEST,
                                "the current strategy does not take any number of shards: say which strategy to use"));
        try {
            return wanted.factory().create(shards == null ? cluster.shards() : hypothetical(shards));
        } catch (IllegalArgumentException e) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, e.getMessage(), e);
        }
    }

    /** Nothing connects to these. */
    private static List<Shard> hypothetical(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Shard.named("s" + i).primary("r2dbc:postgresql://nobody@hypothetical.invalid/none"))
                .toList();
    }

    /** Returns what each table holds on each shard, in the order of the shards and tables. */
    Flux<TableAudit> audit() {
        return audits.during(Flux.defer(() -> {
            List<ShardId> shards = cluster.shards().stream().map(Shard::id).toList();
            List<String> tables = router.placement().keyspace().tables();
            return router.audit()
                    .sort(Comparator.comparingInt((TableAudit audit) -> shards.indexOf(audit.shard()))
                            .thenComparingInt(audit -> tables.indexOf(audit.table())));
        }));
    }
}
