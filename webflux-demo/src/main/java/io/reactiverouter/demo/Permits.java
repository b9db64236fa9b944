package io.reactiverouter.demo;

import java.util.concurrent.Semaphore;
import org.springframework.http.HttpStatus;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;

/** Lets no more than so many subscribers of something costly work at a time; the others are told to come again (503). */
public final class Permits {

    private final Semaphore free;
    private final String refusal;

    /**
     * @param max how many may work at a time
     * @param refusal what the others are told
     */
    public Permits(int max, String refusal) {
        this.free = new Semaphore(max);
        this.refusal = refusal;
    }

    /** Returns {@code work}, which holds a permit from its subscription to its end, whatever that is. */
    public <T> Flux<T> during(Flux<T> work) {
        return Flux.defer(() -> free.tryAcquire()
                ? work.doFinally(signal -> free.release())
                : Flux.error(new ResponseStatusException(HttpStatus.SERVICE_UNAVAILABLE, refusal)));
    }
}
