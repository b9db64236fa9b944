package io.reactiverouter.jmh;

import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import java.sql.SQLException;
import java.util.List;

/** What is compared. */
public enum Library {
    REACTIVE_ROUTER {
        @Override
        String url(ShardNode node) {
            return node.r2dbcUrl();
        }

        @Override
        OrderReader open(List<String> urls) {
            return new RouterReader(urls);
        }
    },

    BY_HAND {
        @Override
        String url(ShardNode node) {
            return node.r2dbcUrl();
        }

        @Override
        OrderReader open(List<String> urls) {
            return new HandReader(urls);
        }
    },

    SHARDING_SPHERE {
        @Override
        String url(ShardNode node) {
            return node.jdbcUrl();
        }

        @Override
        OrderReader open(List<String> urls) throws SQLException {
            return new ShardingSphereReader(urls);
        }
    };

    /** Returns the addresses that {@link #open} takes. */
    List<String> urls(EmbeddedShards shards) {
        return shards.nodes().stream().map(this::url).toList();
    }

    abstract String url(ShardNode node);

    /** Opens its pools. */
    abstract OrderReader open(List<String> urls) throws SQLException;
}
