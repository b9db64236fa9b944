package io.reactiverouter.observation;

import java.util.List;
import reactor.core.publisher.Flux;

/** One around the other. */
final class SeveralInstrumentations implements CallInstrumentation {

    private final List<CallInstrumentation> outermostFirst;

    SeveralInstrumentations(List<CallInstrumentation> outermostFirst) {
        this.outermostFirst = outermostFirst;
    }

    @Override
    public <T> Flux<T> call(CallInfo call, Flux<T> answer) {
        Flux<T> watched = answer;
        for (int i = outermostFirst.size() - 1; i >= 0; i--) {
            watched = outermostFirst.get(i).call(call, watched);
        }
        return watched;
    }

    @Override
    public <T> Flux<T> attempt(NodeCall attempt, Flux<T> answer) {
        Flux<T> watched = answer;
        for (int i = outermostFirst.size() - 1; i >= 0; i--) {
            watched = outermostFirst.get(i).attempt(attempt, watched);
        }
        return watched;
    }
}
