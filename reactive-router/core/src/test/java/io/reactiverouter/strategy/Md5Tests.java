package io.reactiverouter.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.topology.ShardId;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class Md5Tests {

    /** The example of the documentation. */
    @Test
    void fortyTwoOfThreeIsOnTheSecond() {
        assertThat(Md5.over(HashSlotsTests.shards(1, 1, 1)).locate(ShardKey.of(42)))
                .isEqualTo(ShardId.of("s1"));
    }

    @Test
    void remainderIsThatOfTheDigestAsANumber() throws Exception {
        Md5 md5 = Md5.over(HashSlotsTests.shards(1, 1, 1, 1, 1, 1, 1));
        for (ShardKey key : Keys.hashable()) {
            String text = key instanceof ShardKey.OfText plain ? plain.value() : key.toString();
            byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            int expected = new BigInteger(1, digest).mod(BigInteger.valueOf(7)).intValue();
            assertThat(md5.locate(key)).as("shard of %s", key).isEqualTo(ShardId.of("s" + expected));
        }
    }

    @Test
    void integerHasNoFormForRowFiltersAndTextHas() {
        Md5 md5 = Md5.over(HashSlotsTests.shards(1, 1));
        SqlPredicate integer = md5.rowsOf(ShardId.of("s0"), KeyColumn.of("id", KeyType.INTEGER));

        assertThat(integer.isAvailable()).isTrue();
        assertThat(integer.isAvailableInRowFilters()).isFalse();
        assertThat(integer.reason()).contains("cast");
        assertThat(md5.rowsOf(ShardId.of("s0"), KeyColumn.of("id", KeyType.TEXT))
                        .isAvailableInRowFilters())
                .isTrue();
        assertThat(md5.rowsOf(ShardId.of("s0"), KeyColumn.of("at", KeyType.TIMESTAMP))
                        .isAvailable())
                .isFalse();
    }

    @Test
    void equalTextsOfDifferentTypesShareAShard() {
        Md5 md5 = Md5.of(List.of(ShardId.of("a"), ShardId.of("b"), ShardId.of("c")));
        UUID uuid = UUID.fromString("0e984725-c51c-4bf4-9960-e1c80e27aba0");

        assertThat(md5.locate(ShardKey.of("42"))).isEqualTo(md5.locate(ShardKey.of(42)));
        assertThat(md5.locate(ShardKey.of(uuid.toString()))).isEqualTo(md5.locate(ShardKey.of(uuid)));
    }

    @Test
    void badShardsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Md5.of(List.of())).withMessageContaining("1 to 4096");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Md5.of(List.of(ShardId.of("a"), ShardId.of("a"))))
                .withMessageContaining("once");
    }
}
