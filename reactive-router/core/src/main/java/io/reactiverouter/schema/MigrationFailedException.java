package io.reactiverouter.schema;

import java.util.List;

/**
 * A migration has stopped: a script has failed, or a database could not be reached or is not as the scripts say, in which case
 * nothing was changed. Running it again goes on where it stopped.
 */
public final class MigrationFailedException extends SchemaException {

    private static final long serialVersionUID = 1L;

    MigrationFailedException(MigrationReport report, List<Throwable> causes) {
        super("the migration of the schema has stopped: " + report.summary(), report, causes);
    }

    @Override
    public String remedy() {
        return "Correct what is named above and migrate again: it goes on where it stopped. A script that failed inside its"
                + " transaction has changed nothing. One that runs outside of a transaction (create index concurrently)"
                + " may have left something behind: drop that (an invalid index), and call repair().";
    }
}
