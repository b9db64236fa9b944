package io.reactiverouter.jmh;

import com.sun.management.OperatingSystemMXBean;
import com.zaxxer.hikari.HikariDataSource;
import io.netty.channel.EventLoop;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.vertx.pgclient.PgBuilder;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.springframework.r2dbc.connection.lookup.AbstractRoutingConnectionFactory;
import reactor.core.publisher.Flux;
import reactor.netty.resources.LoopResources;

/**
 * Where something was measured.
 *
 * @param commit the system property {@code commit}
 * @param libraries names and versions, as their archives have them
 */
record Environment(
        int cores,
        long memoryMegabytes,
        String os,
        String jdk,
        @Nullable String commit,
        @Nullable String postgresql,
        List<String> libraries) {

    private static final List<Class<?>> LIBRARIES = List.of(
            Flux.class,
            LoopResources.class,
            EventLoop.class,
            ConnectionPool.class,
            PostgresqlConnectionFactory.class,
            Driver.class,
            HikariDataSource.class,
            ShardingSphereDataSource.class,
            AbstractRoutingConnectionFactory.class,
            PgBuilder.class);

    static Environment here(@Nullable String postgresql) {
        return new Environment(
                Runtime.getRuntime().availableProcessors(),
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize() >> 20,
                properties("os.name", "os.version", "os.arch"),
                properties("java.vm.name", "java.runtime.version"),
                System.getProperty("commit"),
                postgresql,
                LIBRARIES.stream().map(Environment::archive).toList());
    }

    private static String properties(String... names) {
        return String.join(" ", Stream.of(names).map(System::getProperty).toList());
    }

    private static String archive(Class<?> type) {
        CodeSource source = Objects.requireNonNull(type.getProtectionDomain().getCodeSource());
        String file = Path.of(URI.create(source.getLocation().toString()))
                .getFileName()
                .toString();
        return file.replaceFirst("\\.jar$", "");
    }
}
