package io.reactiverouter.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

class LoginsTests {

    private final Logins logins = new Logins();
    private final AtomicInteger sent = new AtomicInteger();

    @ParameterizedTest
    @ValueSource(strings = {"53300", "57P03"})
    void afterARefusalNoneIsSentForAWhile(String state) throws InterruptedException {
        CountDownLatch free = new CountDownLatch(1);
        logins.whenFree(free::countDown);
        R2dbcException refusal = new R2dbcNonTransientResourceException("no place left", state);
        Mono<String> refused = sent(Mono.error(refusal));

        assertThatThrownBy(refused::block).isSameAs(refusal);
        assertThat(logins.pause()).isTrue();

        // Each caller has an exception of its own, since each may add to it.
        assertThatThrownBy(refused::block).isNotSameAs(refusal).satisfies(again -> {
            assertThat(again).hasMessageContaining("no place left").hasCause(refusal);
            assertThat(((R2dbcException) again).getSqlState()).isEqualTo(state);
            assertThatThrownBy(refused::block).isNotSameAs(again);
        });
        assertThat(sent).hasValue(1);

        assertThat(free.await(5, TimeUnit.SECONDS)).isTrue();
        assertThat(logins.pause()).isFalse();
        assertThat(sent(Mono.just("in")).block()).isEqualTo("in");
        assertThat(sent).hasValue(2);
    }

    /** A wrong password, a wrong name, and a server that is not there: each caller hears of it from the node. */
    @ParameterizedTest
    @ValueSource(strings = {"28P01", "3D000", "08001", "53200"})
    void otherErrorsArePassedOn(String state) {
        Mono<String> failed = sent(Mono.error(() -> new R2dbcNonTransientResourceException("no", state)));

        assertThatThrownBy(failed::block).hasMessage("no");
        assertThatThrownBy(failed::block).hasMessage("no");
        assertThat(sent).hasValue(2);
        assertThat(logins.pause()).isFalse();
    }

    @Test
    void countsThoseUnderWayUntilTheyTakeLong() throws InterruptedException {
        CountDownLatch free = new CountDownLatch(1);
        logins.whenFree(free::countDown);

        assertThat(logins.counting(Mono.fromSupplier(logins::count)).block()).isEqualTo(1);
        assertThat(logins.count()).isZero();

        logins.counting(Mono.never()).subscribe();
        assertThat(logins.count()).isEqualTo(1);
        assertThat(free.await(Duration.ofSeconds(5).toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        assertThat(logins.count()).isZero();
    }

    private Mono<String> sent(Mono<String> login) {
        return logins.sparing(Mono.defer(() -> {
            sent.incrementAndGet();
            return login;
        }));
    }
}
