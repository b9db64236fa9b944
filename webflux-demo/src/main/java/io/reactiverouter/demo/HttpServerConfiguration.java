package io.reactiverouter.demo;

import io.netty.channel.ChannelOption;
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
}
