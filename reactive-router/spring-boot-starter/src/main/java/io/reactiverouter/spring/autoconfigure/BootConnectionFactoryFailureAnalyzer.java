package io.reactiverouter.spring.autoconfigure;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;

/**
 * Explains why an application with shards is asked for {@code spring.r2dbc.url}: it has spring-boot-r2dbc, which wants one
 * database of its own. Comes before Spring Boot's analyzer, which knows nothing of shards.
 */
final class BootConnectionFactoryFailureAnalyzer extends AbstractFailureAnalyzer<BeanCreationException>
        implements Ordered {

    private static final String CONFIGURATION = "org.springframework.boot.r2dbc.autoconfigure.R2dbcAutoConfiguration";

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BeanCreationException cause) {
        Throwable root = rootFailure;
        for (Throwable next = root; next != null; next = next.getCause()) {
            root = next;
        }
        if (!root.getClass().getSimpleName().equals("ConnectionFactoryBeanCreationException")) {
            return null;
        }
        return new FailureAnalysis(
                "Spring Boot's own R2DBC support (spring-boot-r2dbc) is on the class path and has no database:"
                        + " 'spring.r2dbc.url' is not set. The shards of 'reactive-router.shards' do not need it.",
                """
                Choose one:
                    - if all tables are sharded, switch it off:
                      spring.autoconfigure.exclude=%s
                    - if there is a database beside the shards, set spring.r2dbc.url to it;
                      its ConnectionFactory, DatabaseClient and transactions live beside those of the shards.""".formatted(CONFIGURATION),
                cause);
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }
}
