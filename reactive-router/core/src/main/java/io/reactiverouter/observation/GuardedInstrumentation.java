package io.reactiverouter.observation;

import reactor.core.publisher.Flux;
import reactor.util.Logger;
import reactor.util.Loggers;

/** Keeps what an instrumentation throws when it decorates a publisher away from its calls. */
final class GuardedInstrumentation implements CallInstrumentation {

    private static final Logger LOG = Loggers.getLogger(GuardedInstrumentation.class);

    private final CallInstrumentation delegate;

    GuardedInstrumentation(CallInstrumentation delegate) {
        this.delegate = delegate;
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        try {
            return delegate.call(call, answer);
        } catch (RuntimeException e) {
            LOG.warn("a call is not watched", e);
            return answer;
        }
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        try {
            return delegate.attempt(attempt, answer);
        } catch (RuntimeException e) {
            LOG.warn("an attempt is not watched", e);
            return answer;
        }
    }
}
