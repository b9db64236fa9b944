package io.reactiverouter.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.strategy.Keyspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What an operator reads when the application does not start. */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalysisTests {

    private static final String SECRET = "hunter2-marked-secret";
    private static final String S0 = "reactive-router.shards.s0.url=r2dbc:postgresql://app@db0:5432/app";

    @Test
    void withoutShardsItShowsHowToConfigureOne(CapturedOutput output) {
        fail();

        assertThat(output).contains("APPLICATION FAILED TO START");
        assertThat(description(output)).contains("no property is set under 'reactive-router.shards'");
        assertThat(action(output))
                .contains("url: r2dbc:postgresql://app@localhost:5432/app")
                .contains("ShardsConnectionDetails")
                .contains("profile is active");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            shards.s1.weight=2                            | shards.s1.url         | it is not set                       | Set it to the URL
            shards.s1.url=jdbc:postgresql://db/app        | shards.s1.url         | it must start with r2dbc:postgresql | Correct the URL
            shards.s1.url=r2dbc:postgresql://db1/app      | shards.s1.username    | db1:5432 has no user name           | Set it to the login name
            shards.s1.url=r2dbc:postgresql://a@db0/app    | shards.s1             | same database as shard s0           | database of its own
            shards.s1.url=r2dbc:postgresql://a@d/a?z=1    | shards                | the option "z"                      | Correct the shards
            shards.s0.replicas[0]=db0:5432                | shards.s0.replicas[0] | it must start with r2dbc:postgresql | Correct the URL
            shards.s0.replicas[0]=r2dbc:postgresql://db0/a| shards.s0.replicas[0] | has the node db0:5432 twice         | Correct the URL
            shards.s0.weight=0                            | shards.s0.weight      | must be positive, was 0             | Set it to 1 or more
            shards.[s 1].url=x                            | shards.s 1            | shard name must be                  | another name
            keyspaces.trading.tables=orders               | keyspaces.trading.key | it is not set                       | Set it to the column
            keyspaces.trading.key=user id                 | keyspaces.trading.key | was "user id"                       | plain name of a column
            pool.max-size=0                               | pool.max-size         | must be at least 1, was 0           | within that limit
            pool.max-size=-1                              | pool.max-size         | must be at least 1, was -1          | within that limit
            pool.min-size=11                              | pool.min-size         | minSize <= maxSize, were 11 and 10  | within that limit
            pool.max-pending=-1                           | pool.max-pending      | must be at least 0, was -1          | within that limit
            pool.acquire-timeout=0s                       | pool.acquire-timeout  | must be positive                    | within that limit
            pool.max-idle-time=-1s                        | pool.max-idle-time    | must be positive                    | within that limit
            pool.max-lifetime=0s                          | pool.max-lifetime     | must be positive                    | within that limit
            pool.leak-threshold=-1s                       | pool.leak-threshold   | must not be negative                | within that limit
            shards.s0.pool.max-size=0                     | shards.s0.pool.max-size       | must be at least 1, was 0   | within that limit
            shards.s0.pool.min-size=11                    | shards.s0.pool.min-size       | minSize <= maxSize, were 11 and 10 | within that limit
            shards.s0.pool.max-pending=-1                 | shards.s0.pool.max-pending    | must be at least 0, was -1  | within that limit
            shards.s0.pool.acquire-timeout=0s             | shards.s0.pool.acquire-timeout | must be positive           | within that limit
            shards.s0.pool.max-idle-time=0s               | shards.s0.pool.max-idle-time  | must be positive            | within that limit
            shards.s0.pool.max-lifetime=0s                | shards.s0.pool.max-lifetime   | must be positive            | within that limit
            shards.s0.pool.leak-threshold=-1s             | shards.s0.pool.leak-threshold | must not be negative        | within that limit
            shards.s0.pool.max-size=many                  | shards.s0.pool.max-size       | cannot be read as Integer   | Correct the property
            shards.s0.connection.connect-timeout=0s       | shards.s0.connection.connect-timeout   | must be positive   | within that limit
            shards.s0.connection.statement-timeout=-1s    | shards.s0.connection.statement-timeout | must not be negative | within that limit
            shards.s0.connection.application-name=        | shards.s0.connection.application-name  | must not be blank  | within that limit
            shards.s0.connection.tls=maybe                | shards.s0.connection.tls      | cannot be read as TlsMode   | verify-full
            connection.connect-timeout=0s                 | connection.connect-timeout   | must be positive             | within that limit
            connection.statement-timeout=-1s              | connection.statement-timeout | must not be negative         | within that limit
            connection.application-name=                  | connection.application-name  | must not be blank            | within that limit
            name=                                         | name                  | must not be blank                   | within that limit
            health.interval=0s                            | health.interval       | must be positive                    | within that limit
            health.timeout=0s                             | health.timeout        | must be positive                    | within that limit
            health.failures=0                             | health.failures       | must be at least 1, was 0           | within that limit
            health.max-lag=-1s                            | health.max-lag        | must be positive                    | within that limit
            failover.max-wait=-1s                         | failover.max-wait     | must not be negative                | within that limit
            failover.max-waiting=-1                       | failover.max-waiting  | must be at least 0, was -1          | within that limit
            retry.backoff=0s                              | retry.backoff         | must be positive                    | within that limit
            retry.backoff=2s                              | retry.backoff         | backoff <= maxBackoff               | within that limit
            retry.max-backoff=0s                          | retry.max-backoff     | must be positive                    | within that limit
            retry.percent=-1                              | retry.percent         | must be at least 0, was -1          | within that limit
            retry.per-second=-1                           | retry.per-second      | must be at least 0, was -1          | within that limit
            reads.region=                                 | reads.region          | must not be blank                   | within that limit
            reads.catch-up=-1s                            | reads.catch-up        | must not be negative                | within that limit
            call-timeout=-1s                              | call-timeout          | must not be negative                | within that limit
            cursor-key=tooshort                           | cursor-key            | must have at least 32 bytes, has 8  | within that limit
            schema.concurrency=0                          | schema.concurrency    | must be at least 1, was 0           | within that limit
            schema.locations=                             | schema.locations      | must name at least one place        | within that limit
            schema.turn-timeout=0s                        | schema.turn-timeout   | must be positive                    | within that limit
            schema.lock-timeout=-1s                       | schema.lock-timeout   | must not be negative                | within that limit
            schema.statement-timeout=-1s                  | schema.statement-timeout | must not be negative             | within that limit
            schema.table=                                 | schema.table          | must not be blank                   | within that limit
            schema.canary=s7                              | schema.canary         | there is no shard "s7"              | one of [s0]
            schema.password=x                             | schema.username       | it is not set                       | login that applies
            schema.main.url=jdbc:postgresql://db/app      | schema.main.url       | it must start with r2dbc:postgresql | Correct the URL
            schema.main.url=r2dbc:postgresql://db/app     | schema.main.username  | it is not set                       | login name
            event-loops=0                                 | event-loops           | must be at least 1, was 0           | Set it to 1 or more
            """)
    void aBadPropertyIsNamedWithItsRemedy(
            String property, String subject, String problem, String action, CapturedOutput output) {
        fail(S0, migrating(property.startsWith("schema")), "reactive-router." + property);

        assertThat(description(output))
                .contains("'reactive-router." + subject + "'")
                .contains(problem);
        assertThat(action(output)).contains(action);
    }

    @Test
    void anUnknownStrategyNamesThoseThatAreKnown(CapturedOutput output) {
        fail(
                S0,
                "reactive-router.keyspaces.trading.key=user_id",
                "reactive-router.keyspaces.trading.strategy=hash-slot");

        assertThat(description(output))
                .contains("'reactive-router.keyspaces.trading.strategy'")
                .contains("\"hash-slot\"");
        assertThat(action(output))
                .contains("[consistent-hash, geographic, hash-slots, md5, modulo, ranges]")
                .contains("bean of type Keyspace");
    }

    /** The properties are those of the keyspace trading; its shards are s0 in region eu and s1 in region us. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            strategy=modulo,virtual-nodes=9                | virtual-nodes   | belongs to the strategy consistent-hash  | Take it out
            region-column=region                           | region-column   | and the strategy is hash-slots           | to geographic
            strategy=ranges,ranges[0].shard=s0,default-region=eu | default-region | belongs to the strategy geographic | Take it out
            strategy=md5,ranges[0].shard=s0                | ranges          | belongs to the strategy ranges           | Take it out
            strategy=modulo,key-type=text                  | key-type        | modulo places no keys of type text       | [integer]
            key-type=timestamp                             | key-type        | hash-slots places no keys of type timest | [integer, text, uuid]
            key-type=date                                  | key-type        | cannot be read as KeyType                | [integer, text, uuid, timestamp]
            strategy=consistent-hash,virtual-nodes=0       | virtual-nodes   | must be positive, were 0                 | 1 or more
            strategy=consistent-hash,virtual-nodes=-1      | virtual-nodes   | must be positive, were -1                | 1 or more
            strategy=consistent-hash,virtual-nodes=9999999 | virtual-nodes   | more than 1048576                        | 1 or more
            strategy=consistent-hash,virtual-nodes=many    | virtual-nodes   | cannot be read as Integer                | Correct the property
            strategy=geographic                            | region-column   | it is not set                            | as in region
            strategy=geographic,region-column=a b          | region-column   | was "a b"                                | plain name of a column
            strategy=geographic,region-column=r,default-region=asia | default-region | region "asia" has no shard     | region of a shard
            strategy=ranges                                | ranges          | it is not set                            | ranges[0].to
            strategy=ranges,ranges[1].shard=s0             | ranges          | cannot be read as                        | without a gap
            strategy=ranges,ranges[0].to=9                 | ranges[0].shard | it is not set                            | name of a shard
            strategy=ranges,ranges[0].shard=s 0            | ranges[0].shard | shard name must be                       | name of a shard
            strategy=ranges,ranges[0].shard=s7             | ranges[0].shard | no shard "s7"; known are [s0, s1]        | one of [s0, s1]
            strategy=ranges,ranges[0].shard=s0,ranges[1].shard=s1 | ranges[0].to | it is not set, and yet            | only the last range
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=  | ranges[0].to | it is empty                              | or leave it out
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=1e3 | ranges[0].to | "1e3" is not an integer                | an integer, as in 42
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=9223372036854775808 | ranges[0].to | not an integer of 64 bits | an integer, as in 42
            strategy=ranges,ranges[0].shard=s0,ranges[0].from=9,ranges[0].to=9 | ranges[0].to | is empty             | above the range's first
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=9,ranges[1].shard=s1,ranges[1].to=8 | ranges[1].to | is empty | above the range's first
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=9,ranges[1].shard=s1,ranges[1].from=10 | ranges[1].from | leave a gap | Leave it out
            strategy=ranges,ranges[0].shard=s0,ranges[0].to=9,ranges[1].shard=s1,ranges[1].from=8 | ranges[1].from | overlap | Leave it out
            strategy=ranges,key-type=uuid,ranges[0].shard=s0,ranges[0].to=1-1-1-1-1 | ranges[0].to | not a complete UUID | as in 6f1c7d2e
            strategy=ranges,key-type=uuid,ranges[0].shard=s0,ranges[0].to=42 | ranges[0].to | "42" is not a UUID      | as in 6f1c7d2e
            strategy=ranges,key-type=timestamp,ranges[0].shard=s0,ranges[0].to=2026-01-01 | ranges[0].to | not a time | 2026-01-01T00:00:00Z
            strategy=ranges,key-type=timestamp,ranges[0].shard=s0,ranges[0].to=2026-01-01T00:00:00.0000001Z | ranges[0].to | finer than a microsecond | a time
            pins.7=s7                                      | pins.7          | no shard "s7"; known are [s0, s1]        | one of [s0, s1]
            pins.7=                                        | pins.7          | it is not set                            | name of a shard
            pins.seven=s0                                  | pins.seven      | "seven" is not an integer                | key-type
            strategy=modulo,pins[Acme Corp]=s0             | pins[Acme Corp] | "Acme Corp" is not an integer            | key-type
            pins.7=s0,pins.07=s1                           | pins.7          | trading.pins.07' pins the same key 7      | Keep one
            pins.-5=s0                                     | pins.-5         | is not read as it is written             | pins[-5]
            key-type=text,pins.a@b=s0                      | pins.a@b        | is not read as it is written             | in brackets
            strategy=geographic,region-column=r,pins.7=s0  | pins.7          | its key has no region                    | pins[eu/42]
            strategy=geographic,region-column=r,pins[asia/7]=s0 | pins[asia/7] | region "asia" of key 7 has no shard    | Correct the region
            """)
    void aBadPlacementIsNamedWithItsRemedy(
            String properties, String subject, String problem, String action, CapturedOutput output) {
        String[] all = (S0 + ",reactive-router.shards.s1.url=r2dbc:postgresql://app@db1:5432/app"
                        + ",reactive-router.shards.s0.region=eu,reactive-router.shards.s1.region=us"
                        + ("," + "key=user_id," + properties).replace(",", ",reactive-router.keyspaces.trading."))
                .split(",");
        fail(all);

        assertThat(description(output))
                .contains("'reactive-router.keyspaces.trading." + subject + "'")
                .contains(problem);
        assertThat(action(output)).contains(action);
    }

    @Test
    void aShardWithoutRegionIsNamedWhereTheyDecide(CapturedOutput output) {
        fail(
                S0,
                "reactive-router.shards.s0.region=eu",
                "reactive-router.shards.s1.url=r2dbc:postgresql://app@db1:5432/app",
                "reactive-router.keyspaces.trading.key=user_id",
                "reactive-router.keyspaces.trading.strategy=geographic",
                "reactive-router.keyspaces.trading.region-column=region");

        assertThat(description(output))
                .contains("'reactive-router.shards.s1.region'")
                .contains("'reactive-router.keyspaces.trading.strategy' is geographic");
        assertThat(action(output)).contains("ShardsConnectionDetails");
    }

    @Test
    void aBadKeyIsShownWithItsOrigin(CapturedOutput output) {
        fail(S0, "reactive-router.keyspaces.trading.key=user_id", "reactive-router.keyspaces.trading.pins[7]=s7");

        assertThat(description(output)).contains("Origin: \"reactive-router.keyspaces.trading.pins[7]\"");
    }

    @Test
    void shardsThatDoNotSuitTheStrategyAreExplained(CapturedOutput output) {
        fail(
                S0,
                "reactive-router.shards.s1.url=r2dbc:postgresql://app@db1:5432/app",
                "reactive-router.shards.s1.weight=1000000",
                "reactive-router.keyspaces.trading.key=user_id");

        assertThat(description(output))
                .contains("'reactive-router.keyspaces.trading.strategy'")
                .contains("shard s0");
        assertThat(action(output)).contains("change the shards");
    }

    @Test
    void aTableThatComesTwiceIsNamed(CapturedOutput output) {
        fail(
                S0,
                "reactive-router.keyspaces.trading.key=user_id",
                "reactive-router.keyspaces.trading.tables=orders,orders");

        assertThat(description(output))
                .contains("'reactive-router.keyspaces.trading.tables'")
                .contains("orders twice");
    }

    @Test
    void aValueOfAnotherTypeIsNamedWithItsOrigin(CapturedOutput output) {
        fail(S0, "reactive-router.pool.max-size=many");

        assertThat(description(output))
                .contains("'reactive-router.pool.max-size' cannot be read as int")
                .contains("Origin: ");
        assertThat(action(output)).contains("Correct the property");
    }

    @Test
    void aKeyspaceThatIsDefinedTwiceIsNamed(CapturedOutput output) {
        fail(List.of(TradingKeyspace.class), S0, "reactive-router.keyspaces.trading.key=user_id");

        assertThat(description(output))
                .contains("keyspace trading is defined twice")
                .contains("'tradingKeyspace'");
        assertThat(action(output)).contains("Keep one of them");
    }

    @Test
    void aKeyspaceBeanMustHaveTheNameOfItsKeyspace(CapturedOutput output) {
        fail(List.of(MisnamedKeyspace.class), S0);

        assertThat(description(output)).contains("bean 'other'").contains("keyspace trading");
        assertThat(action(output)).contains("'trading' or 'tradingKeyspace'");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            reactive-router.shards.s0.url=r2dbc:postgresql://app:%s@db 0/app
            reactive-router.shards.s0.url=jdbc:postgresql://app:%s@db0/app
            reactive-router.shards.s0.url=r2dbc:postgresql://app:%s@db0/
            reactive-router.shards.s0.url=r2dbc:postgresql://app:%s@db0/app?password=%s
            reactive-router.shards.s0.url=r2dbc:postgresql://app:%s@db0/app?sslMode=%s
            reactive-router.shards.s0=r2dbc:postgresql://app:%s@db0/app
            reactive-router.shards.s1.replicas[0]=app:%s@db0
            reactive-router.shards.s1.replicas[1]=r2dbc:postgresql://app:%s@db0/app
            reactive-router.shards.s1.weight=0
            reactive-router.pool.max-size=0
            reactive-router.schema.main.url=jdbc:postgresql://app:%s@db0/app
            reactive-router.schema.main=%s
            """)
    void noSecretIsShown(String property, CapturedOutput output) {
        Throwable failure = fail(
                migrating(property.startsWith("reactive-router.schema")),
                "reactive-router.shards.s1.password=" + SECRET,
                property.replace("%s", SECRET),
                "reactive-router.shards.s1.url=r2dbc:postgresql://app:" + SECRET + "@db1:5432/app");

        assertThat(output).contains("APPLICATION FAILED TO START").doesNotContain(SECRET);
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            assertThat(cause.toString()).doesNotContain(SECRET);
        }
    }

    @Test
    void propertiesPrintNoSecret() {
        ReactiveRouterProperties.Shard shard = new ReactiveRouterProperties.Shard(
                "r2dbc:postgresql://app:" + SECRET + "@db0/app",
                "app",
                SECRET,
                null,
                1,
                "eu",
                List.of("r2dbc:postgresql://app:" + SECRET + "@db0r/app"),
                Map.of(),
                null,
                null);

        assertThat(shard.toString()).contains("app").contains("replicas=1").doesNotContain(SECRET);
    }

    /** Migrations come before the cluster, whose errors would not be met. */
    private static String migrating(boolean onStart) {
        return "reactive-router.schema.migrate-on-start=" + onStart;
    }

    private static Throwable fail(String... properties) {
        return fail(List.of(), properties);
    }

    private static Throwable fail(List<Class<?>> more, String... properties) {
        List<Class<?>> sources = new ArrayList<>(more);
        sources.add(TestApplications.Application.class);
        SpringApplicationBuilder application = new SpringApplicationBuilder(sources.toArray(Class<?>[]::new));
        String[] arguments = new String[properties.length];
        for (int i = 0; i < properties.length; i++) {
            arguments[i] = "--" + properties[i];
        }
        try {
            application.run(arguments).close();
        } catch (RuntimeException e) {
            return e;
        }
        throw new AssertionError("started with " + List.of(properties));
    }

    private static String description(CapturedOutput output) {
        return section(output, "Description:", "Action:");
    }

    private static String action(CapturedOutput output) {
        String all = output.getAll();
        return all.substring(all.lastIndexOf("Action:"));
    }

    private static String section(CapturedOutput output, String from, String to) {
        String all = output.getAll();
        return all.substring(all.lastIndexOf(from), all.lastIndexOf(to));
    }

    @Configuration(proxyBeanMethods = false)
    static class TradingKeyspace {

        @Bean
        Keyspace tradingKeyspace() {
            return Keyspace.named("trading").key("user_id");
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class MisnamedKeyspace {

        @Bean
        Keyspace other() {
            return Keyspace.named("trading").key("user_id");
        }
    }
}
