package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Closes the cluster with the context, after every bean that uses it. Waits for a bounded time, and on an event loop not
 * at all: there closing goes on in the background.
 */
final class ShardClusterCloser implements DisposableBean {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Log LOG = LogFactory.getLog(ShardClusterCloser.class);

    private final AtomicReference<@Nullable ShardCluster> cluster = new AtomicReference<>();

    ShardCluster closing(ShardCluster opened) {
        cluster.set(opened);
        return opened;
    }

    @Override
    public void destroy() {
        ShardCluster opened = cluster.getAndSet(null);
        if (opened == null) {
            return;
        }
        Mono<Void> close = opened.close().timeout(TIMEOUT).onErrorResume(error -> {
            LOG.warn(opened + " was not closed cleanly", error);
            return Mono.empty();
        });
        if (Schedulers.isInNonBlockingThread()) {
            close.subscribe(closed -> {}, error -> LOG.warn(opened + " was not closed cleanly", error));
        } else {
            close.block();
        }
    }
}
