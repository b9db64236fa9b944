package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.topology.Shard;
import java.util.List;
import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;

/**
 * The shards that the application's cluster is made of. Define a bean of this type to name them in code: it takes the
 * place of the properties {@code reactive-router.shards}.
 */
@FunctionalInterface
public interface ShardsConnectionDetails extends ConnectionDetails {

    /** Returns the shards, at least one, in the order that counts for strategies such as modulo. Called once, and once more for migrations. */
    List<Shard> shards();
}
