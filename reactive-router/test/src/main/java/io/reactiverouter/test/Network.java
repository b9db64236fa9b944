package io.reactiverouter.test;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What lies between clients and one server: a relay of TCP connections that can be slow, lossy or dead. It passes bytes on
 * as they are until told otherwise, and changes count for connections that are open too, and for what is on its way. Faults add
 * up; {@link #heal()} ends all of them. At most 1 MiB is on its way in each direction of a connection, so that latency limits
 * how much can pass too. Connections themselves are made without delay.
 *
 * <p>Thread-safe. Each method returns when its change is in force; none may be called on an event loop. Work is done on one
 * thread for all networks of a set of shards.
 */
public final class Network {

    /** Where clients find all networks. */
    static final String HOST = "127.0.0.1";

    private static final int BACKLOG = 1024;
    private static final int LIMIT_SECONDS = 10;
    private static final int HOLD_ATTEMPTS = 1000;
    private static final Duration HOLD_PAUSE = Duration.ofMillis(1);

    private final EventLoop loop;
    private final PortHold hold;
    private final int port;

    // Under the lock of this network: whether anything listens.
    private @Nullable Channel listener;
    private boolean refused;
    private boolean cut;
    private boolean serverDown;
    private volatile boolean closed;
    private volatile InetSocketAddress server;

    // On the loop.
    private final Set<Link> links = new LinkedHashSet<>();
    private Faults faults = Faults.NONE;

    Network(EventLoop loop, InetSocketAddress server) {
        this.loop = loop;
        this.server = server;
        Channel first = bind(0);
        this.listener = first;
        this.port = ((InetSocketAddress) first.localAddress()).getPort();
        this.hold = new PortHold(port);
    }

    /** Returns the port that clients connect to. */
    int port() {
        return port;
    }

    /**
     * Sets how long bytes take from one end to the other; a question with its answer takes twice that. Zero unless set.
     *
     * @throws IllegalArgumentException if it is negative or over an hour
     */
    public void latency(Duration oneWay) {
        requireUsable();
        long nanos = nanos("latency", oneWay);
        change(old -> old.withLatency(nanos));
    }

    /**
     * Sets how much longer than the latency bytes may take, at random for each piece; their order stays. Zero unless set.
     *
     * @throws IllegalArgumentException if it is negative or over an hour
     */
    public void jitter(Duration upTo) {
        requireUsable();
        long nanos = nanos("jitter", upTo);
        change(old -> old.withJitter(nanos));
    }

    /**
     * Limits each direction of each connection. Unlimited unless set.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public void bandwidth(long bytesPerSecond) {
        requireUsable();
        requirePositive("bandwidth in bytes per second", bytesPerSecond);
        change(old -> old.withBandwidth(bytesPerSecond));
    }

    /**
     * Cuts the cable: nothing arrives at either end, and neither is told. Connections stay, new ones are accepted (by the
     * system, as far as the client can see) but not answered, whether the server lives or not. What was on its way arrives
     * after {@link #heal()}.
     */
    public synchronized void cut() {
        requireUsable();
        cut = true;
        listenOrHold();
        change(old -> old.withHeld(true, true));
    }

    /** Cuts one way: the server hears its clients, and none of its answers arrives. */
    public void halfOpen() {
        requireUsable();
        change(old -> old.withHeld(old.requestsHeld(), true));
    }

    /** Refuses new connections; those that are open stay. */
    public synchronized void refuse() {
        requireUsable();
        refused = true;
        listenOrHold();
    }

    /** Resets all open connections, on both sides. New ones can be made at once. */
    public void reset() {
        requireUsable();
        resetAll();
    }

    private void resetAll() {
        await(loop.submit(() -> List.copyOf(links).forEach(Link::reset)));
    }

    /**
     * Resets each connection, present and future, as soon as this many more bytes from the server have been passed on: in the
     * middle of an answer. They are passed on to the client's system, which drops what it has no room for.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    public void resetAfter(long answerBytes) {
        requireUsable();
        requirePositive("bytes before a reset", answerBytes);
        change(old -> old.withResetAfter(answerBytes), link -> link.resetAfter(answerBytes));
    }

    /** Ends all faults. What was held back arrives now, late. */
    public synchronized void heal() {
        requireUsable();
        refused = false;
        cut = false;
        listenOrHold();
        change(old -> Faults.NONE, link -> link.resetAfter(-1));
    }

    /** Returns how many connections of clients are open. */
    public int connections() {
        requireUsable();
        return await(loop.submit(links::size));
    }

    /** As with the machine of a dead server: connections to it are refused. */
    synchronized void serverDown() {
        serverDown = true;
        listenOrHold();
    }

    /** The server answers again, maybe at another address. */
    synchronized void serverUp(InetSocketAddress at) {
        server = at;
        serverDown = false;
        listenOrHold();
    }

    /** Closes all connections and gives up the port. */
    synchronized void close() {
        closed = true;
        listenOrHold();
        resetAll();
    }

    private void listenOrHold() {
        try {
            if (closed || refused || (serverDown && !cut)) {
                Channel open = listener;
                if (open != null) {
                    listener = null;
                    await(open.close());
                }
                if (closed) {
                    hold.release();
                } else {
                    holdPort();
                }
            } else if (listener == null) {
                hold.release();
                listener = bind(port);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("port " + port + " of 127.0.0.1 could not be held or given up", e);
        }
    }

    /** A listener that has been closed goes on listening until its selector has noticed. */
    private void holdPort() throws IOException {
        for (int i = 0; i < HOLD_ATTEMPTS && !hold.hold(); i++) {
            await(loop.submit(() -> {}));
            LockSupport.parkNanos(HOLD_PAUSE.toNanos());
        }
    }

    private Channel bind(int at) {
        ChannelHandler accepting = new ChannelInitializer<SocketChannel>() {
            @Override
            protected void initChannel(SocketChannel client) {
                accept(client);
            }
        };
        var binding = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(accepting)
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), at));
        await(binding);
        return binding.channel();
    }

    private void accept(Channel client) {
        Link link = new Link(client, faults, this::connect, links::remove);
        links.add(link);
        link.proceed();
    }

    private void connect(Link link) {
        new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(link.answers())
                .connect(server)
                .addListener((ChannelFutureListener) connected -> {
                    if (connected.isSuccess()) {
                        link.connected(connected.channel());
                    } else {
                        link.reset();
                    }
                });
    }

    private void change(UnaryOperator<Faults> change) {
        change(change, link -> {});
    }

    /**
     * @param before done to each link before the change
     */
    private void change(UnaryOperator<Faults> change, Consumer<Link> before) {
        await(loop.submit(() -> {
            faults = change.apply(faults);
            // A copy, because a link that can go on can end too.
            List.copyOf(links).forEach(link -> {
                before.accept(link);
                link.suffer(faults);
            });
        }));
    }

    private void requireUsable() {
        if (loop.inEventLoop()) {
            throw new IllegalStateException("a network must not be used on its event loop; use another thread");
        }
        if (closed) {
            throw new IllegalStateException(
                    "the network at port " + port + " is closed with its shards; start new ones");
        }
    }

    private <T> T await(Future<T> future) {
        if (!future.awaitUninterruptibly(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(
                    "the network at port " + port + " does not react within " + LIMIT_SECONDS + " s");
        }
        if (future.cause() != null) {
            throw new IllegalStateException(
                    "the network at port " + port + " failed: " + future.cause().getMessage(), future.cause());
        }
        return future.getNow();
    }

    private static long nanos(String what, Duration duration) {
        if (duration.isNegative() || duration.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(what + " must be zero to one hour, was " + duration);
        }
        return duration.toNanos();
    }

    private static void requirePositive(String what, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(what + " must be positive, was " + value);
        }
    }

    @Override
    public String toString() {
        return "Network[" + port + " to " + server + "]";
    }
}
