package io.reactiverouter.demo.trading;

import com.fasterxml.jackson.annotation.JsonValue;
import io.reactiverouter.strategy.ConsistentHash;
import io.reactiverouter.strategy.HashSlots;
import io.reactiverouter.strategy.Md5;
import io.reactiverouter.strategy.Modulo;
import io.reactiverouter.strategy.ShardingStrategy;
import io.reactiverouter.strategy.StrategyFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.springframework.core.convert.converter.Converter;
import org.springframework.stereotype.Component;

/** Strategies that need to know nothing but the shards, by the names that the properties of a keyspace have for them. */
enum StrategyName {
    HASH_SLOTS(HashSlots.class),
    MODULO(Modulo.class),
    MD5(Md5.class),
    CONSISTENT_HASH(ConsistentHash.class);

    private final Class<? extends ShardingStrategy> type;

    StrategyName(Class<? extends ShardingStrategy> type) {
        this.type = type;
    }

    /** Returns the name of this strategy, if it has one here. */
    static Optional<StrategyName> of(ShardingStrategy strategy) {
        return Arrays.stream(values())
                .filter(name -> name.type.isInstance(strategy))
                .findFirst();
    }

    StrategyFactory factory() {
        return switch (this) {
            case HASH_SLOTS -> ShardingStrategy.hashSlots();
            case MODULO -> ShardingStrategy.modulo();
            case MD5 -> ShardingStrategy.md5();
            case CONSISTENT_HASH -> ShardingStrategy.consistentHash();
        };
    }

    @JsonValue
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Reads a parameter. */
    @Component
    static class Reader implements Converter<String, StrategyName> {

        @Override
        public StrategyName convert(String text) {
            return Arrays.stream(values())
                    .filter(name -> name.toString().equals(text))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("strategy " + text + " is not known"));
        }
    }
}
