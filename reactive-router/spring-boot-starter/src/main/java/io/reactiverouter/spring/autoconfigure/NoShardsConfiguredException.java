package io.reactiverouter.spring.autoconfigure;

/** The application has neither a property, nor a bean, that names shards. */
final class NoShardsConfiguredException extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    NoShardsConfiguredException() {
        super("no shard is configured: there is no property under reactive-router.shards");
    }
}
