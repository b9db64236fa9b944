package io.reactiverouter.test;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One connection of a client through a {@link Network}, to the server and back. All of it happens on the network's loop. */
final class Link {

    private final Channel client;
    private final Way requests;
    private final Way answers;
    private final Consumer<Link> connect;
    private final Consumer<Link> gone;
    private @Nullable Channel server;
    private boolean connecting;
    private boolean over;

    /**
     * @param client accepted just now
     * @param connect opens the connection to the server, and then calls {@link #connected} or {@link #reset}
     * @param gone told when both ends are closed
     */
    Link(Channel client, Faults faults, Consumer<Link> connect, Consumer<Link> gone) {
        this.client = client;
        this.connect = connect;
        this.gone = gone;
        this.requests = new Way(this, faults, faults.requestsHeld());
        this.answers = new Way(this, faults, faults.answersHeld());
        answers.resetAfter(faults.answerBytes());
        client.pipeline().addLast(requests);
    }

    /** Returns what the connection to the server needs in its pipeline. */
    ChannelHandler answers() {
        return answers;
    }

    /** Connects to the server, unless what clients send is held: then not even their wish to connect arrives. */
    void proceed() {
        if (!connecting && !over && !requests.held()) {
            connecting = true;
            connect.accept(this);
        }
    }

    void connected(Channel opened) {
        if (over) {
            close(opened, false);
            return;
        }
        server = opened;
        requests.open(client, opened);
        answers.open(opened, client);
    }

    void suffer(Faults faults) {
        requests.suffer(faults, faults.requestsHeld());
        answers.suffer(faults, faults.answersHeld());
        proceed();
    }

    void resetAfter(long answerBytes) {
        answers.resetAfter(answerBytes);
    }

    /** Breaks the connection on both sides with RST. */
    void reset() {
        end(true);
    }

    /** One way has ended in order, and all that was on it has arrived. */
    void end() {
        end(false);
    }

    private void end(boolean abruptly) {
        if (over) {
            return;
        }
        over = true;
        close(client, abruptly);
        Channel opened = server;
        if (opened != null) {
            close(opened, abruptly);
        }
        requests.discard();
        answers.discard();
        gone.accept(this);
    }

    private static void close(Channel channel, boolean abruptly) {
        if (abruptly && channel.isActive()) {
            try {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
            } catch (ChannelException e) {
                // Some systems refuse it where the peer has reset the connection already: then there is nobody to tell.
            }
        }
        channel.close().addListener(closed -> {});
    }
}
