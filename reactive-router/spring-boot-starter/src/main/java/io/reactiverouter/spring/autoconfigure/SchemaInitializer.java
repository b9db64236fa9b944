package io.reactiverouter.spring.autoconfigure;

import io.reactiverouter.ShardCluster;
import io.reactiverouter.schema.MigrationReport;
import io.reactiverouter.schema.ShardMigrations;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Mono;

/**
 * Migrates or validates the schema at start, if it is told to: on the main thread, which may block, and before the cluster is
 * made, so before its warm-up, whatever uses it, and the web server.
 */
final class SchemaInitializer implements InitializingBean {

    static final String BEAN = "reactiveRouterSchemaInitializer";

    private static final Log LOG = LogFactory.getLog(SchemaInitializer.class);

    private final ReactiveRouterProperties.Schema schema;
    private final ObjectProvider<ShardMigrations> migrations;

    SchemaInitializer(ReactiveRouterProperties.Schema schema, ObjectProvider<ShardMigrations> migrations) {
        this.schema = schema;
        this.migrations = migrations;
    }

    @Override
    public void afterPropertiesSet() {
        if (schema.migrateOnStart()) {
            log("Migrated", migrations().migrate());
        } else if (schema.validateOnStart()) {
            log("Validated", migrations().validate());
        }
    }

    private ShardMigrations migrations() {
        ShardMigrations found = migrations.getIfAvailable();
        if (found == null) {
            throw new InvalidRouterConfigurationException(
                    ConfiguredMigrations.SCHEMA
                            + (schema.migrateOnStart() ? ".migrate-on-start" : ".validate-on-start"),
                    "Flyway or the JDBC driver is not on the class path",
                    "Add org.flywaydb:flyway-database-postgresql and org.postgresql:postgresql, or leave it out.");
        }
        return found;
    }

    private static void log(String what, Mono<MigrationReport> run) {
        MigrationReport report = run.blockOptional().orElseThrow();
        LOG.info(what + " the schema of all shards: " + report.summary());
        LOG.debug(report);
    }

    /** Lets every cluster wait for it, the application's own too. */
    static BeanFactoryPostProcessor beforeClusters() {
        return beans -> {
            for (String name : beans.getBeanNamesForType(ShardCluster.class, true, false)) {
                BeanDefinition cluster = beans.getBeanDefinition(name);
                cluster.setDependsOn(StringUtils.addStringToArray(cluster.getDependsOn(), BEAN));
            }
        };
    }
}
