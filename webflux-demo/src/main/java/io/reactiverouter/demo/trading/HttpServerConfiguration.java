package io.reactiverouter.demo.trading;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** How the server talks to slow clients. */
@Configuration(proxyBeanMethods = false)
class HttpServerConfiguration {

    /** The kernel lets this grow to some megabytes, all of which are rows read for a client that may never take them. */
    private static final int SEND_BUFFER = 64 * 1024;

    @Bean
    WebServerFactoryCustomizer<NettyReactiveWebServerFactory> boundedSendBuffers() {
        return factory ->
                factory.addServerCustomizers(server -> server.childOption(ChannelOption.SO_SNDBUF, SEND_BUFFER));
    }

    /** A stream gives up after one idle timeout; its client has another one to read the last event. */
    @Bean
    WebServerFactoryCustomizer<NettyReactiveWebServerFactory> closedWhenNothingIsRead(StreamProperties streams) {
        Duration limit = streams.idleTimeout().multipliedBy(2);
        return factory -> factory.addServerCustomizers(server -> server.doOnChannelInit(
                (observer, channel, remote) -> channel.pipeline().addFirst(new NothingIsRead(limit))));
    }

    /** Closes a connection that has had something to send for too long and could not send any of it. */
    private static final class NothingIsRead extends IdleStateHandler {

        NothingIsRead(Duration limit) {
            super(true, 0, limit.toMillis(), 0, TimeUnit.MILLISECONDS);
        }

        @Override
        protected void channelIdle(ChannelHandlerContext context, IdleStateEvent event) {
            Channel.Unsafe socket = context.channel().unsafe();
            ChannelOutboundBuffer output = socket.outboundBuffer();
            if (output != null && output.totalPendingWriteBytes() > 0) {
                // Past the pipeline, where TLS would first wait until its farewell is sent.
                socket.close(socket.voidPromise());
            }
        }
    }
}
