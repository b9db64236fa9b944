package io.reactiverouter;

import reactor.blockhound.BlockHound;
import reactor.blockhound.integration.BlockHoundIntegration;

/** Calls that BlockHound takes for blocking and that only ever last a moment. */
public final class AllowedBlockingCalls implements BlockHoundIntegration {

    @Override
    public void applyTo(BlockHound.Builder builder) {
        builder
                // The JDK's scheduled executor takes its queue's own lock when a timer is disposed of. Reactor's own
                // integration allows the same lock when a timer is added.
                .allowBlockingCallsInside("java.util.concurrent.ScheduledThreadPoolExecutor$DelayedWorkQueue", "remove")
                // Netty's allocator takes a lock of its own for a moment when two event loops share an arena.
                .allowBlockingCallsInside("io.netty.buffer.AdaptivePoolingAllocator", "allocate")
                .allowBlockingCallsInside("io.netty.buffer.AdaptivePoolingAllocator$Chunk", "deallocate")
                // TLS and SCRAM read /dev/urandom, which never waits.
                .allowBlockingCallsInside("java.security.SecureRandom", "nextBytes");
    }
}
