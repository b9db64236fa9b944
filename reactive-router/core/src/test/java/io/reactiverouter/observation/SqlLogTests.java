package io.reactiverouter.observation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.reactiverouter.topology.NodeRole;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;

@NullUnmarked
class SqlLogTests {

    private static final NodeCall ON_S0 = new NodeCall(
            Shard.named("s0")
                    .primary("r2dbc:postgresql://app@db0/app")
                    .primary()
                    .id(),
            NodeRole.PRIMARY);
    private static final NodeCall ON_S1 = new NodeCall(
            Shard.named("s1")
                    .primary("r2dbc:postgresql://app@db1/app")
                    .primary()
                    .id(),
            NodeRole.PRIMARY);
    private static final CallInfo CALL =
            new CallInfo("trading", CallKind.SINGLE, "query", "select *\n  from orders where user_id = $1");

    private final Logger log = (Logger) LoggerFactory.getLogger(SqlLog.LOGGER);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final AtomicLong now = new AtomicLong();
    private final SqlLog sqlLog = new SqlLog(Duration.ofMillis(100), now::get);

    @BeforeEach
    void listen() {
        log.setLevel(Level.INFO);
        lines.start();
        log.addAppender(lines);
    }

    @AfterEach
    void leave() {
        log.detachAppender(lines);
        log.setLevel(null);
    }

    @Test
    void slowStatementIsShownWithItsShardAndWithoutLineBreaks() {
        run(sqlLog, ON_S0, 1234);
        assertThat(shown())
                .containsExactly("WARN slow: s0@db0:5432 done after 1234 ms, query of trading:"
                        + " select * from orders where user_id = $1");
        run(sqlLog, ON_S1, 99);
        assertThat(shown()).hasSize(1);
    }

    @Test
    void shardHasOneLineASecondAndTheRestIsCounted() {
        for (int i = 0; i < 4; i++) {
            run(sqlLog, ON_S0, 200);
        }
        assertThat(shown()).hasSize(1);
        run(sqlLog, ON_S1, 200);
        assertThat(shown()).as("another shard has its own").hasSize(2);
        run(sqlLog, ON_S0, 300);
        assertThat(shown()).hasSize(3);
        assertThat(shown().get(2)).contains("s0@db0:5432 done after 300 ms").endsWith("; 3 more not shown");
    }

    @Test
    void allAreShownAtDebug() {
        run(sqlLog, ON_S0, 1);
        assertThat(shown()).isEmpty();
        log.setLevel(Level.DEBUG);
        SqlLog never = new SqlLog(null, now::get);
        run(never, ON_S0, 5);
        assertThat(shown())
                .containsExactly("DEBUG s0@db0:5432 done after 5 ms, query of trading:"
                        + " select * from orders where user_id = $1");
        log.setLevel(Level.INFO);
        Flux<Integer> answer = Flux.just(1);
        assertThat(never.call(CALL, answer)).as("costs nothing when it is off").isSameAs(answer);
        assertThat(never.attempt(ON_S0, answer)).isSameAs(answer);
    }

    @Test
    void endsAreTold() {
        log.setLevel(Level.DEBUG);
        sqlLog.attempt(ON_S0, Flux.error(new IllegalStateException()))
                .onErrorComplete()
                .blockLast();
        sqlLog.attempt(ON_S0, Flux.range(0, 9)).blockFirst();
        assertThat(shown())
                .containsExactly(
                        "DEBUG s0@db0:5432 failed after 0 ms, the router's own",
                        "DEBUG s0@db0:5432 cancelled after 0 ms, the router's own");
    }

    @Test
    void longStatementIsCut() {
        log.setLevel(Level.DEBUG);
        CallInfo call = new CallInfo(null, CallKind.SINGLE, "update", "x".repeat(5000));
        sqlLog.call(call, sqlLog.attempt(ON_S0, Flux.just(1))).blockLast();
        assertThat(shown().get(0)).endsWith("update: " + "x".repeat(1000) + "...");
    }

    @Test
    void thresholdIsPositive() {
        assertThatThrownBy(() -> new SqlLog(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("threshold of slow statements must be positive, was PT0S");
    }

    private void run(SqlLog with, NodeCall on, long millis) {
        with.call(
                        CALL,
                        with.attempt(
                                on,
                                Flux.just(1)
                                        .doOnNext(row -> now.addAndGet(
                                                Duration.ofMillis(millis).toNanos()))))
                .blockLast();
    }

    private List<String> shown() {
        return lines.list.stream()
                .map(event -> event.getLevel() + " " + event.getFormattedMessage())
                .toList();
    }
}
