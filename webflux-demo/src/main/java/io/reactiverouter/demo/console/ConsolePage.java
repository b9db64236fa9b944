package io.reactiverouter.demo.console;

import java.net.URI;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.reactive.function.server.RouterFunction;
import org.springframework.web.reactive.function.server.RouterFunctions;
import org.springframework.web.reactive.function.server.ServerResponse;
import org.springframework.web.server.WebFilter;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

/** The page itself, which runs no script and loads nothing but what comes from this server. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnConsole
class ConsolePage {

    private static final String PATH = "/console/";
    private static final String POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
            + " form-action 'none'; frame-ancestors 'none'";

    private static final PathPattern PAGES = PathPatternParser.defaultInstance.parse(PATH + "**");

    @Bean
    RouterFunction<ServerResponse> consoleRoutes() {
        Resource page = new ClassPathResource("console/index.html");
        return RouterFunctions.route()
                .GET(
                        PATH,
                        request -> ServerResponse.ok()
                                .contentType(MediaType.TEXT_HTML)
                                .bodyValue(page))
                .GET(
                        "/console",
                        request -> ServerResponse.permanentRedirect(URI.create(PATH))
                                .build())
                .resources(PATH + "**", new ClassPathResource("console/"))
                .build();
    }

    @Bean
    WebFilter consoleHeaders() {
        return (exchange, chain) -> {
            if (PAGES.matches(exchange.getRequest().getPath().pathWithinApplication())) {
                HttpHeaders headers = exchange.getResponse().getHeaders();
                headers.set("Content-Security-Policy", POLICY);
                headers.set("X-Content-Type-Options", "nosniff");
                headers.set("Referrer-Policy", "no-referrer");
                headers.setCacheControl("no-cache");
            }
            return chain.filter(exchange);
        };
    }
}
