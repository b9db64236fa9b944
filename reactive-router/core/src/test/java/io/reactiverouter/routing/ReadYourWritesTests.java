package io.reactiverouter.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.topology.ShardId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.util.context.Context;

class ReadYourWritesTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s-1_x");

    @Test
    void tokenCarriesPositions() {
        ReadYourWrites writes = ReadYourWrites.begin();
        assertThat(writes.token()).isEmpty();
        writes.wrote(S0, 0x16B3748);
        writes.wrote(S1, 7);
        writes.wrote(S1, 3);
        assertThat(writes.token()).isEqualTo("s-1_x:7.s0:16b3748");
        ReadYourWrites read = ReadYourWrites.of(writes.token());
        assertThat(read.position(S0)).isEqualTo(0x16B3748);
        assertThat(read.position(S1)).as("what was written last").isEqualTo(7);
        assertThat(read.position(ShardId.of("other"))).isZero();
        assertThat(ReadYourWrites.of("").token()).isEmpty();
    }

    @Test
    void unknownPositionNeedsThePrimaryAndStaysSo() {
        ReadYourWrites writes = ReadYourWrites.begin();
        writes.wroteSomewhere(S0);
        writes.wrote(S0, 5);
        assertThat(writes.needsPrimary(S0)).isTrue();
        assertThat(ReadYourWrites.of(writes.token()).needsPrimary(S0)).isTrue();
        assertThat(writes.needsPrimary(S1)).isFalse();
    }

    @Test
    void contextCarriesIt() {
        ReadYourWrites writes = ReadYourWrites.begin();
        assertThat(ReadYourWrites.of(writes.context().apply(Context.empty()))).isSameAs(writes);
        assertThat(ReadYourWrites.of(Context.empty())).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"s0", "s0:", ":5", "s0:xyz", "s0:5.", ".", "s0:5,s1:6", "s0:11112222333344445", "-s:5"})
    void otherTextsAreRefused(String token) {
        assertThatIllegalArgumentException().isThrownBy(() -> ReadYourWrites.of(token));
    }

    @Test
    void longTextsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReadYourWrites.of("s0:5.".repeat(14_000)))
                .withMessageContaining("at most 65536 characters");
    }
}
