package io.reactiverouter.schema;

import java.util.List;

/** Validation has found a database that is not at the version of the scripts, or could not be asked. Nothing was changed. */
public final class SchemaMismatchException extends SchemaException {

    private static final long serialVersionUID = 1L;

    SchemaMismatchException(MigrationReport report, List<Throwable> causes) {
        super("the schema is not as the scripts say: " + report.summary(), report, causes);
    }

    @Override
    public String remedy() {
        return "Run the migrations (ShardMigrations.migrate(), or reactive-router.schema.migrate-on-start=true) where a"
                + " database is behind. Where a script differs from the one that was applied, put the old text back and make"
                + " the change in a new script.";
    }
}
