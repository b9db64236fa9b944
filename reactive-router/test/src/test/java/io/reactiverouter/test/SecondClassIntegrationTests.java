package io.reactiverouter.test;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One of two classes that share servers and must not see each other's rows. */
class SecondClassIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(2).initSql("create table rows_seen (id int)");

    @Test
    void databasesAreCleanAndServersAreShared() {
        IsolationProbe.check(SHARDS);
    }
}
