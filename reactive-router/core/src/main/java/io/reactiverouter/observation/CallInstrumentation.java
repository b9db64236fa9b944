package io.reactiverouter.observation;

import java.util.List;
import reactor.core.publisher.Flux;

/**
 * Watches calls and what they do on nodes, by decorating their publishers: for timers, traces and logs. Both methods are called
 * when a publisher is made, on the threads of callers and event loops at the same time; what they return may be subscribed to
 * more than once. It must pass on every signal, demand and cancel; what it adds to the Reactor
 * context of a call is seen by the parts of the call.
 */
public interface CallInstrumentation {

    /** Watches nothing; with it publishers stay as they are. */
    CallInstrumentation NONE = new CallInstrumentation() {};

    /** Decorates a call, from its subscription to its end: waiting, retries and all shards included. */
    default <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        return answer;
    }

    /**
     * Decorates one attempt on one node: from the wait for a connection to the end of the answer. A statement in a transaction
     * is no attempt of its own; nor is a connection that was asked for as {@code Mono<Connection>}.
     */
    default <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        return answer;
    }

    /** Returns one that leaves a publisher as it is where {@code instrumentation} throws, and logs that. */
    static CallInstrumentation guarded(CallInstrumentation instrumentation) {
        return instrumentation == NONE ? NONE : new GuardedInstrumentation(instrumentation);
    }

    /** Returns all of them as one, the first one outermost. */
    static CallInstrumentation of(List<? extends CallInstrumentation> several) {
        List<CallInstrumentation> real = several.stream()
                .filter(each -> each != NONE)
                .<CallInstrumentation>map(each -> each)
                .toList();
        return switch (real.size()) {
            case 0 -> NONE;
            case 1 -> real.get(0);
            default -> new SeveralInstrumentations(real);
        };
    }
}
