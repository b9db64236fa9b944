package io.reactiverouter.demo.trading;

import io.reactiverouter.strategy.ShardKey;
import io.reactiverouter.topology.ShardId;
import org.springdoc.core.utils.SpringDocUtils;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JacksonModule;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;
import tools.jackson.databind.ser.std.ToStringSerializer;

/** Shards as their names and keys as their values, in answers and in the OpenAPI page. */
@Configuration(proxyBeanMethods = false)
class PlacementJson {

    static {
        SpringDocUtils.getConfig()
                .replaceWithClass(ShardId.class, String.class)
                .replaceWithClass(ShardKey.class, Long.class);
    }

    @Bean
    JacksonModule placementModule() {
        return new SimpleModule("placement")
                .addSerializer(ShardId.class, ToStringSerializer.instance)
                .addSerializer(ShardKey.class, new Key());
    }

    /** Users have integer keys without a region. */
    private static final class Key extends StdSerializer<ShardKey> {

        Key() {
            super(ShardKey.class);
        }

        @Override
        public void serialize(ShardKey key, JsonGenerator generator, SerializationContext context) {
            generator.writePOJO(key.parameter());
        }
    }
}
