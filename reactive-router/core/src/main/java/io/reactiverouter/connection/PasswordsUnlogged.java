package io.reactiverouter.connection;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.logging.LogLevel;
import io.netty.handler.logging.LoggingHandler;

/**
 * Keeps passwords out of the log. With the driver's logger {@code io.r2dbc.postgresql.client.ReactorNettyClient} at TRACE when a
 * connection is opened, the driver logs all bytes, before they are encrypted: a password too, where the server asks for it in
 * clear text. Here the same is logged but for the messages with passwords.
 */
final class PasswordsUnlogged extends ChannelInboundHandlerAdapter {

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ChannelPipeline pipeline = context.pipeline();
        ChannelHandler logging = pipeline.get(LoggingHandler.class);
        if (logging != null) {
            pipeline.replace(logging, logging.getClass().getSimpleName(), new Filter());
        }
        context.fireChannelActive();
        pipeline.remove(this);
    }

    private static final class Filter extends LoggingHandler {

        /** The first byte of all answers of a client to a server that asks for a password. */
        private static final byte PASSWORD = 'p';

        Filter() {
            super("io.r2dbc.postgresql.client.ReactorNettyClient", LogLevel.TRACE);
        }

        @Override
        protected String format(ChannelHandlerContext context, String event, Object message) {
            boolean password = message instanceof ByteBuf bytes
                    && bytes.isReadable()
                    && bytes.getByte(bytes.readerIndex()) == PASSWORD
                    && event.equals("WRITE");
            return password
                    ? format(context, event) + ": a message with a password, not shown"
                    : super.format(context, event, message);
        }
    }
}
