package io.reactiverouter.schema;

import io.r2dbc.spi.R2dbcNonTransientResourceException;
import java.util.List;

/** The schema of a database is not as it should be; {@link #report()} says which is at which version. */
public abstract class SchemaException extends R2dbcNonTransientResourceException {

    private static final long serialVersionUID = 1L;

    private final transient MigrationReport report;

    SchemaException(String problem, MigrationReport report, List<Throwable> causes) {
        super(problem + "\n" + report, causes.isEmpty() ? null : causes.get(0));
        this.report = report;
        causes.stream().skip(1).forEach(this::addSuppressed);
    }

    /** Returns where every database stands. Not kept when the exception is serialized. */
    public MigrationReport report() {
        return report;
    }

    /** Returns what to do about it, as sentences. */
    public abstract String remedy();
}
