package io.reactiverouter.test;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a {@link Link}: bytes that are read from one end are written to the other when their time has come. At most
 * 1 MiB is on its way; what is beyond stays in the sender's system. All of it happens on the network's loop.
 */
final class Way extends ChannelInboundHandlerAdapter {

    private static final int WINDOW = 1 << 20;
    private static final long PIECES_PER_SECOND = 50;

    private final Link link;
    private final Queue<Piece> underway = new ArrayDeque<>();
    private Faults faults;
    private boolean held;
    private @Nullable Channel from;
    private @Nullable Channel to;
    private int underwayBytes;
    private long lastDue = System.nanoTime();
    private @Nullable Future<?> waking;
    private boolean ended;
    private boolean broken;
    private boolean resetting;
    private boolean discarded;
    private long untilReset = -1;

    private record Piece(ByteBuf bytes, long due) {}

    Way(Link link, Faults faults, boolean held) {
        this.link = link;
        this.faults = faults;
        this.held = held;
    }

    boolean held() {
        return held;
    }

    void open(Channel source, Channel target) {
        from = source;
        to = target;
        readMore();
    }

    void suffer(Faults now, boolean hold) {
        faults = now;
        held = hold;
        putOff();
        deliver();
        readMore();
    }

    /** What is on its way counts as sent now, under the faults of now. */
    private void putOff() {
        Future<?> timer = waking;
        waking = null;
        if (timer != null) {
            timer.cancel(false);
        }
        lastDue = System.nanoTime();
        List<Piece> pieces = List.copyOf(underway);
        underway.clear();
        pieces.forEach(piece -> add(piece.bytes()));
    }

    private void add(ByteBuf bytes) {
        long arrival = System.nanoTime() + faults.latencyNanos() + jitter();
        lastDue = Math.max(arrival, lastDue) + transmission(bytes.readableBytes());
        underway.add(new Piece(bytes, lastDue));
    }

    /** Breaks the link after so many more bytes; never if negative. */
    void resetAfter(long bytes) {
        untilReset = bytes;
    }

    /** Drops what is on its way. */
    void discard() {
        discarded = true;
        underway.forEach(piece -> piece.bytes().release());
        underway.clear();
    }

    private void readMore() {
        Channel source = from;
        if (source != null && !held && !ended && underwayBytes < WINDOW) {
            source.read();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        if (discarded) {
            bytes.release();
            return;
        }
        underwayBytes += bytes.readableBytes();
        // A slow line is seen as one only if its bytes come bit by bit.
        int size = faults.bytesPerSecond() == 0
                ? bytes.readableBytes()
                : (int) Math.max(1, Math.min(bytes.readableBytes(), faults.bytesPerSecond() / PIECES_PER_SECOND));
        while (bytes.isReadable()) {
            add(bytes.readRetainedSlice(Math.min(size, bytes.readableBytes())));
        }
        bytes.release();
        deliver();
    }

    private long jitter() {
        return faults.jitterNanos() == 0 ? 0 : ThreadLocalRandom.current().nextLong(faults.jitterNanos());
    }

    private long transmission(int bytes) {
        return faults.bytesPerSecond() == 0 ? 0 : TimeUnit.SECONDS.toNanos(bytes) / faults.bytesPerSecond();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        readMore();
    }

    /** What is on its way still arrives before the end does. */
    @Override
    public void channelInactive(ChannelHandlerContext context) {
        ended = true;
        deliver();
    }

    /** As when an end was reset: the other one is told, after what is on its way. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        broken = true;
        ended = true;
        deliver();
    }

    private void deliver() {
        Channel target = to;
        if (held || resetting || target == null) {
            return;
        }
        boolean written = false;
        for (Piece next = underway.peek(); next != null; next = underway.peek()) {
            long wait = next.due() - System.nanoTime();
            if (wait > 0) {
                wake(target, wait);
                break;
            }
            underway.remove();
            if (untilReset >= 0 && next.bytes().readableBytes() >= untilReset) {
                target.writeAndFlush(next.bytes().slice(0, (int) untilReset)).addListener(sent -> link.reset());
                resetting = true;
                return;
            }
            write(target, next.bytes());
            written = true;
        }
        if (written) {
            target.flush();
        }
        endWhenAllHasArrived();
    }

    private void endWhenAllHasArrived() {
        if (ended && !held && !resetting && underway.isEmpty() && underwayBytes == 0) {
            if (broken) {
                link.reset();
            } else {
                link.end();
            }
        }
    }

    private void write(Channel target, ByteBuf bytes) {
        int size = bytes.readableBytes();
        if (untilReset >= 0) {
            untilReset -= size;
        }
        target.write(bytes).addListener(sent -> {
            underwayBytes -= size;
            readMore();
            endWhenAllHasArrived();
        });
    }

    private void wake(Channel target, long nanos) {
        if (waking == null) {
            waking = target.eventLoop()
                    .schedule(
                            () -> {
                                waking = null;
                                deliver();
                            },
                            nanos,
                            TimeUnit.NANOSECONDS);
        }
    }
}
