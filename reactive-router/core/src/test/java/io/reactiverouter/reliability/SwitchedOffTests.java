package io.reactiverouter.reliability;

import static org.assertj.core.api.Assertions.assertThatNoException;

import io.reactiverouter.reliability.SwitchedOff.Mechanism;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SwitchedOffTests {

    /** The runs that need them are part of the long form only. */
    @ParameterizedTest
    @EnumSource
    void mechanismsAreWhereTheyWere(Mechanism mechanism) {
        assertThatNoException().isThrownBy(() -> SwitchedOff.requireTargets(mechanism));
    }
}
