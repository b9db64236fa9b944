package io.reactiverouter.micrometer;

import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.reactiverouter.observation.CallInfo;
import io.reactiverouter.observation.CallInstrumentation;
import io.reactiverouter.observation.NodeCall;
import io.reactiverouter.stream.Watched;
import io.reactiverouter.stream.Watcher;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * Makes a Micrometer observation of each call, {@code reactiverouter.call}, and under it one of each attempt on a node,
 * {@code reactiverouter.attempt}: with a tracer a span and its children. The parent is the observation in the Reactor context, as
 * WebFlux puts it there. Statements are shown only when asked for, and parameters never. Thread-safe.
 */
public final class ObservedCalls implements CallInstrumentation {

    private static final String CALL = "reactiverouter.call";
    /** The key of Micrometer's ObservationThreadLocalAccessor, which needs one more library. */
    private static final String PARENT = "micrometer.observation";

    private static final String ATTEMPT = "reactiverouter.attempt";

    private final ObservationRegistry registry;
    private final boolean showSql;

    /**
     * @param showSql whether statements are shown, as the high-cardinality key {@code db.query.text}; for those who write no
     *     values into their statements
     */
    public ObservedCalls(ObservationRegistry registry, boolean showSql) {
        this.registry = registry;
        this.showSql = showSql;
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        if (registry.isNoop()) {
            return answer;
        }
        return Watched.by(context -> new Observed(begin(call, context)), answer);
    }

    private Observation begin(CallInfo call, ContextView context) {
        String keyspace = call.keyspace() == null ? RouterMeter.NO_KEYSPACE : call.keyspace();
        String kind = call.kind().name().toLowerCase(Locale.ROOT);
        Observation observation = Observation.createNotStarted(CALL, registry)
                .contextualName(call.operation() + " " + keyspace)
                .lowCardinalityKeyValues(KeyValues.of(
                        KeyValue.of("db.system.name", "postgresql"),
                        KeyValue.of("keyspace", keyspace),
                        KeyValue.of("kind", kind),
                        KeyValue.of("operation", call.operation())));
        String sql = call.sql();
        if (showSql && sql != null) {
            observation.highCardinalityKeyValue("db.query.text", sql);
        }
        return under(context, observation).start();
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        if (registry.isNoop()) {
            return answer;
        }
        return Watched.by(context -> new Observed(begin(attempt, context)), answer);
    }

    private Observation begin(NodeCall attempt, ContextView context) {
        String shard = attempt.node().shard().toString();
        return under(
                        context,
                        Observation.createNotStarted(ATTEMPT, registry)
                                .contextualName("shard " + shard)
                                .lowCardinalityKeyValues(KeyValues.of(
                                        KeyValue.of("db.system.name", "postgresql"),
                                        KeyValue.of("shard", shard),
                                        KeyValue.of(
                                                "role", attempt.role().name().toLowerCase(Locale.ROOT)),
                                        KeyValue.of("node", attempt.node().endpoint()))))
                .start();
    }

    private static Observation under(ContextView context, Observation observation) {
        @Nullable Observation parent = context.getOrDefault(PARENT, null);
        return parent == null ? observation : observation.parentObservation(parent);
    }

    /** One observation, from its start to its end; what runs in it finds it in the context. */
    private record Observed(Observation observation) implements Watcher {

        @Override
        public Context context(Context ofSubscriber) {
            return ofSubscriber.put(PARENT, observation);
        }

        @Override
        public void ended(End end, boolean answered, @Nullable Throwable error) {
            if (error != null) {
                observation.error(error);
            }
            String outcome =
                    switch (end) {
                        case COMPLETE -> "success";
                        case ERROR -> "error";
                        case CANCEL -> "cancelled";
                    };
            observation.lowCardinalityKeyValue("outcome", outcome).stop();
        }
    }
}
