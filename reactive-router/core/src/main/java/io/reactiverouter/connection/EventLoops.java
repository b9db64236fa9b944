package io.reactiverouter.connection;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Mono;
import reactor.netty.resources.LoopResources;

/**
 * The event loops that all connections of a cluster share, offered one by one: the pool decides which loop a connection
 * lives on. Handing the whole group to the driver spreads badly, because each connect takes two turns of the group's round
 * robin: with an even number of loops half of them never get a connection.
 *
 * <p>Threads are daemons and start with the first connection.
 */
final class EventLoops {

    private final LoopResources shared;
    private final List<LoopResources> single = new ArrayList<>();

    EventLoops(int loops) {
        Limits.atLeast("eventLoops", 1, loops);
        this.shared = LoopResources.create("reactive-router", -1, loops, true, false);
        EventLoopGroup group = shared.onClient(LoopResources.DEFAULT_NATIVE);
        for (EventExecutor loop : group) {
            single.add(new OneLoop(shared, group, (EventLoop) loop));
        }
    }

    int size() {
        return single.size();
    }

    /** Returns loop number {@code index} in the form that the driver takes. */
    LoopResources loop(int index) {
        return single.get(index);
    }

    /** Stops the threads, waiting at most five seconds for work in hand. */
    Mono<Void> close() {
        return shared.disposeLater(Duration.ZERO, Duration.ofSeconds(5));
    }

    private record OneLoop(LoopResources shared, EventLoopGroup group, EventLoop loop) implements LoopResources {

        @Override
        public EventLoopGroup onServer(boolean useNative) {
            return loop;
        }

        @Override
        public <C extends Channel> C onChannel(Class<C> type, EventLoopGroup ignored) {
            return shared.onChannel(type, group);
        }

        @Override
        public <C extends Channel> Class<? extends C> onChannelClass(Class<C> type, EventLoopGroup ignored) {
            return shared.onChannelClass(type, group);
        }

        @Override
        public boolean daemon() {
            return shared.daemon();
        }
    }
}
