package io.reactiverouter.demo.console;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.MeterFilterReply;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.HistogramSnapshot;
import io.micrometer.core.instrument.distribution.ValueAtPercentile;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.reactiverouter.micrometer.CallMetrics;
import io.reactiverouter.micrometer.RouterMeter;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.NodeCall;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;

/**
 * How many attempts each shard has ended, and how long those for one shard took in the last half minute. The timers are those of
 * {@link CallMetrics}, in a registry of their own: the application's one has buckets for Prometheus, from which nobody here
 * could tell the percentiles of the moment. Thread-safe.
 */
@Component
@ConditionalOnConsole
class CallRates implements CallInstrumentation {

    private static final double MEDIAN = 0.5;
    private static final double SLOWEST = 0.99;
    private static final Duration WINDOW = Duration.ofSeconds(30);
    private static final Set<String> TAGS = Set.of("shard", "kind");

    private final MeterRegistry meters = new SimpleMeterRegistry();
    private final CallMetrics calls;

    CallRates() {
        meters.config().meterFilter(new AttemptsByShard());
        calls = new CallMetrics(meters);
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        return calls.call(call, answer);
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        Flux<T> timed = calls.attempt(attempt, answer);
        return Flux.deferContextual(context -> LatestCalls.isUnseen(context) ? answer : timed);
    }

    /**
     * What a shard did.
     *
     * @param attempts attempts that have ended since the start, parts of scatter-gathers included
     * @param medianMillis of single-shard attempts of the last half minute, null without any
     * @param p99Millis of the same
     */
    record Of(
            long attempts,
            @Nullable Double medianMillis,
            @Nullable Double p99Millis) {}

    /** Returns what a shard did until now. */
    Of shard(String name) {
        Collection<Timer> timers =
                meters.find(RouterMeter.ATTEMPTS.meterName()).tag("shard", name).timers();
        long attempts = timers.stream().mapToLong(Timer::count).sum();
        HistogramSnapshot single = timers.stream()
                .filter(timer -> "single".equals(timer.getId().getTag("kind")))
                .map(Timer::takeSnapshot)
                .findFirst()
                .orElse(HistogramSnapshot.empty(0, 0, 0));
        return new Of(attempts, millis(single, MEDIAN), millis(single, SLOWEST));
    }

    private static @Nullable Double millis(HistogramSnapshot snapshot, double percentile) {
        for (ValueAtPercentile value : snapshot.percentileValues()) {
            // 0 if nothing has ended in the window.
            if (value.percentile() == percentile && value.value() > 0) {
                return value.value(TimeUnit.MILLISECONDS);
            }
        }
        return null;
    }

    /** Keeps a timer for each shard and kind of call, whatever the keyspace, role and outcome, and nothing else. */
    private static final class AttemptsByShard implements MeterFilter {

        @Override
        public MeterFilterReply accept(Meter.Id id) {
            return isAttempts(id) ? MeterFilterReply.NEUTRAL : MeterFilterReply.DENY;
        }

        @Override
        public Meter.Id map(Meter.Id id) {
            return isAttempts(id)
                    ? id.replaceTags(id.getTags().stream()
                            .filter(tag -> TAGS.contains(tag.getKey()))
                            .toList())
                    : id;
        }

        @Override
        public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
            return DistributionStatisticConfig.builder()
                    .percentiles(MEDIAN, SLOWEST)
                    .percentilePrecision(2)
                    .expiry(WINDOW)
                    .bufferLength(6)
                    .build()
                    .merge(config);
        }

        private static boolean isAttempts(Meter.Id id) {
            return id.getName().equals(RouterMeter.ATTEMPTS.meterName());
        }
    }
}
