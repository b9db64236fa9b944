package io.reactiverouter.schema;

import java.util.List;

/** The structure of a shard could not be read, so that the shards could not be compared. */
public final class SchemaUnreadableException extends SchemaException {

    private static final long serialVersionUID = 1L;

    SchemaUnreadableException(MigrationReport report, List<Throwable> causes) {
        super("the structure of the shards could not be compared", report, causes);
    }

    @Override
    public String remedy() {
        return "See that the primary of every shard answers, and compare again.";
    }
}
