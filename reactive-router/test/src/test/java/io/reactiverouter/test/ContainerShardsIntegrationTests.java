package io.reactiverouter.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ContainerShardsIntegrationTests {

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES) // the first run fetches the image
    void containersServeAsEmbeddedServersDo() throws SQLException {
        assumeTrue(ContainerShards.dockerAvailable(), "no Docker engine answers");
        try (Shards shards = ContainerShards.builder(2)
                .setting("work_mem", "7MB")
                .initSql("create table a (id int)")
                .start()) {
            for (ShardNode node : shards.nodes()) {
                try (Connection connection = node.openJdbc();
                        Statement statement = connection.createStatement();
                        ResultSet result = statement.executeQuery(
                                "select current_setting('wal_level') || current_setting('work_mem'), count(*) from a")) {
                    result.next();
                    assertThat(result.getString(1)).isEqualTo("logical7MB");
                }
            }
        }
    }
}
