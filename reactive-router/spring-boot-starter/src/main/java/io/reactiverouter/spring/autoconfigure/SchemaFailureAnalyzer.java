package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.schema.SchemaException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Shows which database is at which version, and what to do. */
final class SchemaFailureAnalyzer extends AbstractFailureAnalyzer<SchemaException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, SchemaException cause) {
        return new FailureAnalysis(
                "The schema of the shards is not ready: " + cause.report().summary() + "."
                        + System.lineSeparator() + System.lineSeparator()
                        + cause.report().toString().indent(4).stripTrailing(),
                cause.remedy(),
                cause);
    }
}
