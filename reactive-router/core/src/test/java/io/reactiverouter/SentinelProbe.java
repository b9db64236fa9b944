package io.reactiverouter;

import static io.reactiverouter.TestClusters.TIMEOUT;

import io.r2dbc.spi.Connection;
import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.PoolSettings;
import io.reactiverouter.connection.TlsMode;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.schema.SchemaSettings;
import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.logging.StreamHandler;
import org.jspecify.annotations.NullUnmarked;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An application that does everything in which a password takes part, and prints all there is to print; its log is on the same
 * output. The password is in the environment, since a command line can be seen.
 */
@NullUnmarked
final class SentinelProbe {

    /** Of the statement that shows that the wire is in the log. */
    static final String STATEMENT = "select 'this-is-in-the-dump'";

    private static final ConnectionSettings SETTINGS =
            ConnectionSettings.DEFAULTS.withApplicationName("sentinel").withConnectTimeout(TIMEOUT);

    private static final Logger JDBC = Logger.getLogger("org.postgresql");

    private final String password = System.getenv("SENTINEL");
    private final String at;

    private SentinelProbe(String at) {
        this.at = at;
    }

    /** Takes {@code host:port/database} of a server on which every way to log in has a role. */
    public static void main(String[] arguments) {
        SentinelProbe probe = new SentinelProbe(arguments[0]);
        probe.logins();
        probe.refusals();
        probe.badUrls();
        probe.poolErrors();
        probe.migrations();
        System.out.println("DONE");
        System.exit(0);
    }

    private void logins() {
        for (String role : List.of("cleartext", "digest", "scrammed")) {
            ShardCluster cluster = builder(shard(role, password)).build();
            succeeds("login " + role, cluster, one(cluster));
            tell(cluster);
            cluster.close().block(TIMEOUT);
            fails("wrong password " + role, () -> builder(shard(role, password + "x")));
        }
        ShardCluster inUrl = builder(Shard.named("s0").primary(url("cleartext:" + password + "@", "")))
                .build();
        succeeds("login with the URL", inUrl, one(inUrl));
        tell(inUrl);
        inUrl.close().block(TIMEOUT);
    }

    private void refusals() {
        fails("unreachable", () -> builder(at("127.0.0.1:1/app")));
        fails("unknown host", () -> builder(at("no-such-host.invalid/app")));
        fails("TLS refused", () -> builder(shard("cleartext", password)).connection(SETTINGS.withTls(TlsMode.REQUIRE)));
        fails("identity refused", () -> builder(shard("cleartext", password)).name("nobody-wrote-it-down"));
        fails("no such database", () -> builder(at(at.replaceAll("/.*", "/nowhere"))));
        fails("no such role", () -> builder(shard("nobody", password)));
        fails(
                "password file",
                () -> builder(Shard.named("s0")
                        .primary(url("", ""))
                        .credentials("cleartext", Secret.file(Path.of("/no/such/file")))));
        fails(
                "too slow",
                () -> builder(shard("cleartext", password))
                        .connection(SETTINGS.withConnectTimeout(Duration.ofNanos(1))));
    }

    private Shard at(String place) {
        return Shard.named("s0").primary("r2dbc:postgresql://cleartext:" + password + "@" + place);
    }

    private void badUrls() {
        for (String options : List.of(
                "?sslMode=" + password,
                "?sslPassword=" + password + "&sslKey=/no/" + password + "&sslCert=/no/file&sslMode=require",
                "?password=" + password,
                "?statementTimeout=" + password,
                "?" + password)) {
            fails("option", () -> builder(Shard.named("s0").primary(url("cleartext:" + password + "@", options))));
        }
        for (String login :
                List.of(":" + password + "@", "a:" + password + "%@", "a:@" + password + "@", "a:/" + password)) {
            fails("login", () -> builder(Shard.named("s0").primary(url(login, ""))));
        }
        fails("no scheme", () -> builder(Shard.named("s0").primary("postgres://a:" + password + "@db/app")));
        fails("port", () -> builder(Shard.named("s0").primary("r2dbc:postgresql://a:" + password + "@db:99999/app")));
        fails("twice", () -> builder(shard("cleartext", password)).shard(shard("cleartext", password)));
        fails("settings", () -> builder(shard("cleartext", password)).pool(ShardId.of("s7"), PoolSettings.DEFAULTS));
    }

    private void poolErrors() {
        ShardCluster cluster = builder(shard("cleartext", password))
                .pool(PoolSettings.DEFAULTS
                        .withMaxSize(1)
                        .withMaxPending(1)
                        .withAcquireTimeout(Duration.ofSeconds(2))
                        .withLeakThreshold(Duration.ofMillis(100)))
                .build();
        ShardOperations shard = cluster.shard(ShardId.of("s0"));
        Connection held = shard.connection().block(TIMEOUT);
        tell(
                held,
                held.getMetadata(),
                shard.connectionFactory(),
                shard.connectionFactory().getMetadata());
        Flux.merge(attempt("full or late", one(cluster)), attempt("full or late", one(cluster)))
                .blockLast(TIMEOUT);
        Mono.from(held.close()).block(TIMEOUT);
        attempt("error", shard.update(Query.of("no sql"))).block(TIMEOUT);
        attempt("killed", shard.update(Query.of("select pg_terminate_backend(pg_backend_pid())")))
                .block(TIMEOUT);
        attempt("late", shard.timeout(Duration.ofMillis(50)).update(Query.of("select pg_sleep(5)")))
                .block(TIMEOUT);
        cluster.close().block(TIMEOUT);
        attempt("closed", one(cluster)).block(TIMEOUT);
        tell(cluster);
    }

    /** With the log of the JDBC driver too, which is java.util.logging. */
    private void migrations() {
        Handler handler = new StreamHandler(System.out, new SimpleFormatter());
        handler.setLevel(Level.ALL);
        JDBC.setLevel(Level.ALL);
        JDBC.addHandler(handler);
        for (String role : List.of("cleartext", "digest", "scrammed")) {
            migrate("migrations " + role, shard(role, password));
            migrate("migrations wrong password " + role, shard(role, password + "x"));
        }
        migrate("migrations unreachable", at("127.0.0.1:1/app"));
        migrate(
                "migrations URL",
                Shard.named("s0").primary(url("cleartext:" + password + "@", "?sslPassword=" + password)));
        fails("migrations option", () -> {
            migrate("", Shard.named("s0").primary(url("cleartext:" + password + "@", "?connectTimeout=" + password)));
            return builder(shard("cleartext", password));
        });
        handler.flush();
    }

    private void migrate(String what, Shard shard) {
        ShardMigrations migrations = ShardMigrations.builder(List.of(shard))
                .settings(SchemaSettings.DEFAULTS.withPlaceholders(Map.of("secret", password)))
                .build();
        tell(migrations);
        tell(migrations.info().block(TIMEOUT));
        attempt(what, migrations.migrate()).block(TIMEOUT);
        attempt(what, migrations.drift().doOnNext(SentinelProbe::tell)).block(TIMEOUT);
    }

    private Shard shard(String role, String itsPassword) {
        return Shard.named("s0").primary(url("", "")).credentials(role, itsPassword);
    }

    private String url(String login, String options) {
        return "r2dbc:postgresql://" + login + at + options;
    }

    private ShardCluster.Builder builder(Shard shard) {
        tell(shard);
        return ShardCluster.builder()
                .shard(shard)
                .connection(SETTINGS)
                .pool(PoolSettings.DEFAULTS.withAcquireTimeout(TIMEOUT))
                .cursorKey(password.repeat(4).getBytes(StandardCharsets.UTF_8))
                .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO));
    }

    private static Mono<String> one(ShardCluster cluster) {
        return cluster.shard(ShardId.of("s0")).queryOne(Query.of(STATEMENT), row -> row.get(0, String.class));
    }

    private static void succeeds(String what, ShardCluster cluster, Mono<String> call) {
        call.block(TIMEOUT);
        System.out.println("SUCCEEDED " + what);
        ShardRouter router = cluster.router(Keyspace.named("x").key("id").strategy(ShardingStrategy.hashSlots()));
        tell(router, router.placement(), router.shard(ShardKey.of(1)), router.allShards());
    }

    private static void fails(String what, Supplier<ShardCluster.Builder> builder) {
        ShardCluster cluster;
        try {
            cluster = builder.get().build();
        } catch (RuntimeException e) {
            failed(what, e);
            return;
        }
        try {
            attempt(what, one(cluster)).block(TIMEOUT);
            attempt(what + " at warmup", cluster.warmup()).block(TIMEOUT);
            tell(cluster);
        } finally {
            cluster.close().block(TIMEOUT);
        }
    }

    private static Mono<Void> attempt(String what, Mono<?> call) {
        return call.then().onErrorResume(error -> {
            failed(what, error);
            return Mono.empty();
        });
    }

    /** Messages and stack traces of an error, its causes and what it has suppressed. */
    private static void failed(String what, Throwable error) {
        System.out.println("FAILED " + what + " with " + error.getClass().getSimpleName());
        error.printStackTrace(System.out);
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            System.out.println(cause.getMessage() + " " + cause);
            tell(cause);
        }
    }

    private static void tell(ShardCluster cluster) {
        tell(cluster, cluster.shards(), cluster.status(), cluster.allShards(), cluster.shard(ShardId.of("s0")));
        cluster.shards()
                .forEach(shard -> tell(cluster.poolStatistics(shard.primary().id())));
    }

    /** Prints objects and all that can be reached from them. */
    private static void tell(Object... objects) {
        for (Object each : objects) {
            System.out.println(each);
            if (each instanceof Shard shard) {
                tell(shard.nodes(), shard.tags(), shard.id());
            } else if (each instanceof Iterable<?> many && !(each instanceof Throwable)) {
                many.forEach(SentinelProbe::tell);
            } else if (each instanceof Map<?, ?> map) {
                map.forEach(SentinelProbe::tell);
            } else if (each instanceof Optional<?> perhaps) {
                perhaps.ifPresent(SentinelProbe::tell);
            } else if (each instanceof Record known
                    && known.getClass().getName().startsWith("io.reactiverouter")) {
                components(known);
            }
        }
    }

    private static void components(Record known) {
        for (RecordComponent component : known.getClass().getRecordComponents()) {
            // The values of options are for the driver; neither they nor their record's toString may be printed here.
            boolean options =
                    known instanceof NodeAddress && component.getName().equals("options");
            if (!options) {
                try {
                    component.getAccessor().setAccessible(true);
                    tell(component.getAccessor().invoke(known));
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }
}
