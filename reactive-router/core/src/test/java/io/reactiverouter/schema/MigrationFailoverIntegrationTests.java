package io.reactiverouter.schema;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.schema.DatabaseVersion.State;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.topology.Shard;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
class MigrationFailoverIntegrationTests {

    /** One after the other, because a promotion cannot be taken back. */
    @Test
    void migrationsGoToTheNodeThatIsPrimaryWhicheverWasNamedAsIt(@TempDir Path directory) {
        Scripts scripts = new Scripts(directory).with("V1__orders.sql", "create table orders (id bigint)");
        try (EmbeddedShards shards = EmbeddedShards.builder(1).replicas(1).start()) {
            String first = shards.node(0).r2dbcUrl();
            String second = shards.server(0, 1).node().r2dbcUrl();
            Shard both = Shard.named("s0").primary(second).replica(first);

            MigrationFailedException onStandby = catchThrowableOfType(
                    MigrationFailedException.class,
                    () -> migrate(scripts, Shard.named("s0").primary(second)));
            assertThat(onStandby.report().databases().get(0).state()).isEqualTo(State.UNREACHABLE);
            assertThat(onStandby).hasMessageContaining("no primary answers").hasMessageContaining("is a standby");

            assertThat(migrate(scripts, both).isGood()).isTrue();
            assertThat(shards.node(0).number("select count(*) from orders")).isZero();

            // The former primary goes on as one: the later timeline counts.
            shards.server(0, 1).awaitReplayOf(shards.server(0));
            shards.server(0, 1).promote();
            scripts.with("V2__note.sql", "alter table orders add note text");
            assertThat(migrate(scripts, Shard.named("s0").primary(first).replica(second))
                            .isGood())
                    .isTrue();
            assertThat(shards.server(0, 1).node().number("select count(note) from orders"))
                    .isZero();
            assertThat(shards.node(0)
                            .number("select count(*) from pg_attribute where attrelid = 'orders'::regclass"
                                    + " and attname = 'note'"))
                    .isZero();

            shards.server(0, 1).pause();
            shards.server(0).kill();
            MigrationFailedException silent =
                    catchThrowableOfType(MigrationFailedException.class, () -> migrate(scripts, both));
            shards.server(0, 1).resume();
            assertThat(silent.report().databases().get(0).state()).isEqualTo(State.UNREACHABLE);
        }
    }

    private static MigrationReport migrate(Scripts scripts, Shard shard) {
        return ShardMigrations.builder(List.of(shard))
                .settings(scripts.settings())
                .connection(ConnectionSettings.DEFAULTS.withConnectTimeout(Duration.ofSeconds(1)))
                .build()
                .migrate()
                .block(TIMEOUT);
    }
}
