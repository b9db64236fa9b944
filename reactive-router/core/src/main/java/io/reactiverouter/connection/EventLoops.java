package io.reactiverouter.connection;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.reactiverouter.observation.CloseReason;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.FutureMono;
import reactor.netty.resources.LoopResources;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * The event loops that all connections of a cluster share, offered one by one: the pool decides which loop a connection
 * lives on. Handing the whole group to the driver spreads badly, because each connect takes two turns of the group's round
 * robin: with an even number of loops half of them never get a connection.
 *
 * <p>Threads are daemons and start with the first connection.
 */
final class EventLoops {

    private static final Logger LOG = Loggers.getLogger(EventLoops.class);

    private final LoopResources shared;
    private final EventLoopGroup group;
    private final List<EventLoop> loops;

    EventLoops(int loops) {
        Limits.atLeast("eventLoops", 1, loops);
        this.shared = LoopResources.create("reactive-router", -1, loops, true, false);
        this.group = shared.onClient(LoopResources.DEFAULT_NATIVE);
        this.loops = StreamSupport.stream(group.spliterator(), false)
                .map(EventLoop.class::cast)
                .toList();
    }

    /** Returns the loop for one connection: number {@code turn}, counted round and round. */
    ConnectionLoop forConnection(int turn) {
        return new ConnectionLoop(shared, group, loops.get(Math.floorMod(turn, loops.size())));
    }

    /** Stops the threads, waiting at most five seconds for work in hand. */
    Mono<Void> close() {
        return shared.disposeLater(Duration.ZERO, Duration.ofSeconds(5));
    }

    /**
     * One event loop in the form that the driver takes, for one connection, and what is known of its session. Keeps hold of the sockets that the driver opens
     * for it, its own and those of cancel requests, because the driver closes none that it is still waiting for.
     */
    static final class ConnectionLoop implements LoopResources {

        private final LoopResources shared;
        private final EventLoopGroup group;
        private final EventLoop loop;
        private final Scheduler scheduler;
        private final StatementTimeout statementTimeout = new StatementTimeout();
        private final Set<Channel> sockets = ConcurrentHashMap.newKeySet();
        private volatile boolean aborted;
        private volatile @Nullable Runnable whenEmpty;
        private final AtomicReference<@Nullable CloseReason> closing = new AtomicReference<>();

        private ConnectionLoop(LoopResources shared, EventLoopGroup group, EventLoop loop) {
            this.shared = shared;
            this.group = group;
            this.loop = loop;
            this.scheduler = Schedulers.fromExecutor(this::execute);
        }

        /** Says whether this thread is the loop's. */
        boolean isCurrent() {
            return loop.inEventLoop();
        }

        /** Runs a task on the loop, after what it is doing. Where the loop has ended its sockets are closed: nothing can be sent, and only what cleans up is left to do. */
        void execute(Runnable task) {
            try {
                loop.execute(task);
            } catch (RejectedExecutionException e) {
                task.run();
            }
        }

        /** Returns what runs tasks on the loop, after what it is doing. */
        Scheduler scheduler() {
            return scheduler;
        }

        /** Returns what the session's statements are limited to. */
        StatementTimeout statementTimeout() {
            return statementTimeout;
        }

        @Override
        public <C extends Channel> C onChannel(Class<C> type, EventLoopGroup ignored) {
            C socket = shared.onChannel(type, group);
            socket.pipeline().addLast(new PasswordsUnlogged());
            sockets.add(socket);
            socket.closeFuture().addListener(closed -> {
                sockets.remove(socket);
                runWhenEmpty();
            });
            if (aborted) {
                close(socket);
            }
            return socket;
        }

        /** Notes why the connection is about to be closed, unless there is a reason already. */
        void closing(CloseReason reason) {
            closing.compareAndSet(null, reason);
        }

        /** Returns the reason that was noted, null if nobody here wants the connection closed. */
        @Nullable CloseReason closing() {
            return closing.get();
        }

        /** Runs {@code action} when the last socket has been closed, at once if none is open; perhaps more than once. */
        void whenEmpty(Runnable action) {
            whenEmpty = action;
            runWhenEmpty();
        }

        private void runWhenEmpty() {
            Runnable action = whenEmpty;
            if (action != null && sockets.isEmpty()) {
                action.run();
            }
        }

        /** Closes all sockets, now and later, without a word to the peer or a wait for it; completes when they are. */
        Mono<Void> abort() {
            return Mono.defer(() -> {
                aborted = true;
                return Flux.fromIterable(List.copyOf(sockets))
                        .doOnNext(this::close)
                        .filter(Channel::isRegistered)
                        .flatMap(socket -> FutureMono.from(socket.closeFuture()))
                        .then();
            });
        }

        /** Past the pipeline, where TLS would first wait until its farewell is sent. */
        private void close(Channel socket) {
            try {
                loop.execute(() -> {
                    if (socket.isRegistered()) {
                        socket.unsafe().close(socket.unsafe().voidPromise());
                    } else {
                        socket.unsafe().closeForcibly();
                    }
                });
            } catch (RejectedExecutionException e) {
                // A loop that has ended has closed its sockets.
                LOG.debug("event loop has ended", e);
            }
        }

        @Override
        public EventLoopGroup onServer(boolean useNative) {
            return loop;
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
