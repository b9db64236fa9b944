package io.reactiverouter.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.strategy.ConsistentHash;
import io.reactiverouter.strategy.Directory;
import io.reactiverouter.strategy.Geographic;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Keyspace;
import io.reactiverouter.strategy.Md5;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.Ranges;
import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PlacementJsonTests {

    private static final ShardId S0 = ShardId.of("s0");
    private static final ShardId S1 = ShardId.of("s1");

    private static Shard shard(String name) {
        return Shard.named(name).primary("r2dbc:postgresql://app@" + name + "/app");
    }

    private static Placement placement(ShardingStrategy strategy) {
        Keyspace keyspace = Keyspace.named("trading")
                .key("user_id")
                .regionColumn("region")
                .tables("orders", "audit.Trades")
                .strategy(strategy);
        return new Placement(keyspace, strategy, 7);
    }

    static Stream<ShardingStrategy> strategies() {
        List<Shard> two = List.of(shard("s0").weight(2), shard("s1"));
        HashSlots slots = HashSlots.over(two);
        return Stream.of(
                slots,
                slots.withShard(shard("s2").weight(4))
                        .withWeights(Map.of(S0, 9))
                        .withoutShard(S1),
                Modulo.over(two),
                Md5.over(two),
                ConsistentHash.over(two, 150),
                Ranges.startingAt(ShardKey.of(Long.MIN_VALUE))
                        .upTo(ShardKey.of(0), S0)
                        .andAbove(S1),
                Ranges.fromTheLowest()
                        .upTo(ShardKey.of("it's \"\\ \ud83d\ude80"), S0)
                        .closed(),
                Ranges.fromTheLowest().upTo(ShardKey.of(new UUID(-1, 1)), S0).andAbove(S1),
                Ranges.fromTheLowest()
                        .upTo(ShardKey.of(Instant.parse("-0044-03-15T12:00:00.000001Z")), S0)
                        .andAbove(S1),
                Geographic.over(List.of(shard("s0").region("eu"), shard("s1").region("us"))),
                Geographic.over(List.of(shard("s0").region("eu"), shard("s1").region("us")))
                        .withDefaultRegion("us"),
                Directory.over(slots).pin(ShardKey.of(42), S1).pin(ShardKey.of("42"), S0),
                Directory.over(Geographic.over(
                                List.of(shard("s0").region("eu"), shard("s1").region("us"))))
                        .pin(ShardKey.inRegion("eu", ShardKey.of(new UUID(1, 2))), S1),
                Directory.over(Directory.over(slots).pin(ShardKey.of(1), S0)));
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void everyStrategyComesBackAsItWas(ShardingStrategy strategy) {
        Placement before = placement(strategy);

        Placement after = Placement.fromJson(before.toJson());

        assertThat(after.strategy()).isEqualTo(strategy).hasSameHashCodeAs(strategy);
        assertThat(after.strategy().shards()).isEqualTo(strategy.shards());
        assertThat(after.epoch()).isEqualTo(7);
        assertThat(after.keyspace().name()).isEqualTo("trading");
        assertThat(after.keyspace().keyColumn()).isEqualTo("user_id");
        assertThat(after.keyspace().regionColumn()).isEqualTo("region");
        assertThat(after.keyspace().tables()).containsExactly("orders", "audit.Trades");
        assertThat(after.keyspace().strategy().create(List.of())).isEqualTo(strategy);
        assertThat(after.toJson()).isEqualTo(before.toJson());
    }

    @Test
    void formatIsAsDocumented() {
        assertThat(placement(Modulo.of(List.of(S0, S1))).toJson())
                .isEqualTo("{\"version\":1,\"keyspace\":{\"name\":\"trading\",\"key\":\"user_id\","
                        + "\"regionColumn\":\"region\",\"tables\":[\"orders\",\"audit.Trades\"]},\"epoch\":7,"
                        + "\"strategy\":{\"type\":\"modulo\",\"shards\":[\"s0\",\"s1\"]}}");
        assertThat(placement(HashSlots.over(List.of(shard("s0"), shard("s1")))).toJson())
                .contains("\"slots\":[{\"shard\":\"s0\",\"from\":0,\"to\":8191},{\"shard\":\"s1\",\"from\":8192,");
    }

    @Test
    void aStrategyOfTheUsersHasNoForm() {
        ShardingStrategy own = new ShardingStrategy() {
            @Override
            public ShardId locate(ShardKey key) {
                return S0;
            }

            @Override
            public List<ShardId> shards() {
                return List.of(S0);
            }
        };
        assertThatIllegalArgumentException()
                .isThrownBy(() -> placement(own).toJson())
                .withMessageContaining("has no JSON form");
    }

    /** A piece of a good document, what to put in its place, and what the error must say. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "version":1        | "version":2            | at /version: format version 2 is unknown
            "version":1        | "version":"1"          | at /version: must be a whole number
            "version":1,       | ``                     | at its root: lacks the field "version"
            "epoch":7          | "epoch":0              | at /epoch: epoch must be at least 1, was 0
            "epoch":7          | "epoch":7.5            | at /epoch: must be a whole number
            "epoch":7          | "epoch":7,"more":1     | at its root: has the unknown field "more"
            "epoch":7          | "epoch":7,"epoch":8    | not valid JSON at line 1, column
            "name":"trading"   | "name":"tra ding"      | at /keyspace: keyspace name must be
            "name":"trading"   | "name":5               | at /keyspace/name: must be a text
            "key":"user_id"    | "key":"a;drop"         | at /keyspace: key column of keyspace trading
            "tables":["orders","audit.Trades"] | "tables":["o","o"] | at /keyspace: keyspace trading names the table o twice
            "tables":["orders","audit.Trades"] | "tables":"o" | at /keyspace/tables: must be an array
            "type":"hash-slots" | "type":"hash"         | at /strategy/type: strategy "hash" is unknown
            "type":"hash-slots" | "type":"modulo"       | at /strategy: has the unknown field "slots"
            "weight":2         | "weight":0             | at /strategy: weight of shard s0 must be positive
            "weight":2         | "weight":3000000000    | at /strategy/shards/0/weight: must be a whole number of at most 32 bits
            "from":10922       | "from":10923           | at /strategy/slots: slot 10922 has no owner
            "from":10922       | "from":10921           | at /strategy/slots/1: slot 10921 has the owner s0 already
            "to":16383         | "to":16384             | at /strategy/slots/1: slots must satisfy 0 <= from <= to < 16384
            {"shard":"s1","from" | {"shard":"s9","from" | at /strategy: slot 10922 belongs to shard s9
            {"shard":"s1","from" | {"shard":"","from"   | at /strategy/slots/1/shard:
            {"shard":"s1","weight":1} | {"shard":"s0","weight":1} | at /strategy/shards/1: shard s0 comes twice
            "regionColumn"     | "regionColum"          | at /keyspace: has the unknown field "regionColum"
            {"version"         | [{"version"            | not valid JSON at line 1, column
            "strategy":{       | "strategy":[{          | not valid JSON at line 1, column
            """)
    void corruptTextIsRefusedWithItsPlace(String good, String bad, String message) {
        String json = placement(HashSlots.over(List.of(shard("s0").weight(2), shard("s1"))))
                .toJson();
        assertThat(json).contains(good);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Placement.fromJson(json.replace(good, bad)))
                .withMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            ``                                  | its root
            []                                  | at its root: must be an object
            null                                | at its root: must be an object
            {                                   | line 1, column
            {"version":1} {}                    | line 1, column
            """)
    void otherTextsAreNoPlacements(String json, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Placement.fromJson(json))
                .withMessageContaining(message);
    }

    @Test
    void hostileTextsAreRefusedShortly() {
        for (String hostile : List.of("[".repeat(3_000), "9".repeat(5_000), "{\"" + "x".repeat(100_000) + "\":1}")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Placement.fromJson(hostile))
                    .satisfies(error -> assertThat(error.getMessage()).hasSizeLessThan(1_000));
        }
        String unknown = placement(Modulo.of(List.of(S0))).toJson().replace("modulo", "x".repeat(1_000_000));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Placement.fromJson(unknown))
                .satisfies(error -> assertThat(error.getMessage()).hasSizeLessThan(1_000));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"integer":"0"} | {"integer":"x"}                      | /strategy/ranges/0/to: For input string
            {"integer":"0"} | {"integer":"0","text":"0"}           | /strategy/ranges/0/to: a key has one of the fields
            {"integer":"0"} | {"uuid":"0"}                         | /strategy/ranges/0/to: Invalid UUID
            {"integer":"0"} | {"uuid":"123456789-0-0-0-0"}         | /strategy/ranges/0/to: the key is written 23456789-0000-0000-0000-000000000000
            {"integer":"0"} | {"integer":"+1"}                     | /strategy/ranges/0/to: the key is written 1, was "+1"
            {"integer":"0"} | {"timestamp":"yesterday"}            | /strategy/ranges/0/to: Text 'yesterday'
            {"integer":"0"} | {"region":"eu","id":{"integer":"0"}} | /strategy/ranges/0: a range of shard s0 ends at a key with a region
            {"shard":"s1","from":{"integer":"0"} | {"shard":"s1","from":{"integer":"5"} | /strategy: ranges [all below, 0) of s0
            """)
    void corruptKeysAreRefusedWithTheirPlace(String good, String bad, String message) {
        String json = placement(Ranges.fromTheLowest().upTo(ShardKey.of(0), S0).andAbove(S1))
                .toJson();
        assertThat(json).contains(good);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Placement.fromJson(json.replaceFirst(
                        java.util.regex.Pattern.quote(good), java.util.regex.Matcher.quoteReplacement(bad))))
                .withMessageContaining(message);
    }
}
