package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.R2dbcNonTransientResourceException;
import io.reactiverouter.connection.CallTimeoutException;
import io.reactiverouter.connection.CallTimeoutException.Consequence;
import io.reactiverouter.topology.ShardId;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutcomeTests {

    @ParameterizedTest
    @CsvSource({
        "23505, FAILED",
        "25006, FAILED",
        "40001, FAILED",
        "40003, UNKNOWN",
        "53300, FAILED",
        "57014, FAILED",
        "57P01, UNKNOWN",
        "57P02, UNKNOWN",
        "57P03, FAILED",
        "08006, UNKNOWN",
        "XX000, UNKNOWN",
        ", UNKNOWN"
    })
    void refusalsOfTheServerAreCertainAndBrokenConnectionsAreNot(String state, Outcome expected) {
        R2dbcException error = new R2dbcNonTransientResourceException("", state);
        assertThat(Outcome.of(error, true)).isEqualTo(expected);
        assertThat(Outcome.of(error, false)).isEqualTo(Outcome.FAILED);
    }

    @ParameterizedTest
    @CsvSource({
        "NOT_RUN, FAILED",
        "ROLLED_BACK, FAILED",
        "CANCELLED, UNKNOWN",
        "COMMIT_UNKNOWN, UNKNOWN",
        "TO_ROLL_BACK, UNKNOWN"
    })
    void timeLimitsAreWhatTheySay(Consequence consequence, Outcome expected) {
        var error = new CallTimeoutException(ShardId.of("s0"), Duration.ofSeconds(1), consequence);
        assertThat(Outcome.of(error, true)).isEqualTo(expected);
    }
}
