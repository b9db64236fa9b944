package io.reactiverouter.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NodeAddressTests {

    @Test
    void urlIsReadPartByPart() {
        NodeAddress address = NodeAddress.parse(
                "r2dbc:postgresql://us%40er:p%3Aw%2Bd%25+@db0:5433/orders?sslMode=require&schema=a%20b");

        assertThat(address.host()).isEqualTo("db0");
        assertThat(address.port()).isEqualTo(5433);
        assertThat(address.database()).isEqualTo("orders");
        assertThat(address.username()).isEqualTo("us@er");
        assertThat(address.password()).isEqualTo(Secret.of("p:w+d%+"));
        assertThat(address.options()).containsEntry("sslMode", "require").containsEntry("schema", "a b");
        assertThat(address.endpoint()).isEqualTo("db0:5433");
    }

    @Test
    void portAndLoginCanBeLeftOut() {
        NodeAddress address = NodeAddress.parse("r2dbc:postgresql://[::1]/app");

        assertThat(address.endpoint()).isEqualTo("[::1]:5432");
        assertThat(address.username()).isNull();
        assertThat(address.password()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "jdbc:postgresql://app:sentinel-secret@db0/app",
                "r2dbc:mysql://app:sentinel-secret@db0/app",
                "r2dbc:postgresql://app:sentinel-secret@db0",
                "r2dbc:postgresql://app:sentinel-secret@db0/",
                "r2dbc:postgresql://app:sentinel-secret@db0:99999/app",
                "r2dbc:postgresql://app:sentinel-secret@db0:5432,db1:5432/app",
                "r2dbc:postgresql://app:sentinel-secret with space@db0/app",
                "r2dbc:postgresql://app:sentinel-secret@db0/app?sentinel-secret",
                "r2dbc:postgresql://app:sentinel-secret%@db0/app",
                "r2dbc:postgresql://app:sentinel-secret@#@db0/app",
                "r2dbc:postgresql://app:12/34sentinel-secret@db0:5432/app",
                "r2dbc:postgresql://db0:5432/app&password=sentinel-secret",
                "r2dbc:postgresql://app:2024/p#sentinel-secret@db0/app",
                "r2dbc:postgresql://db0/app#sentinel-secret",
                "r2dbc:postgresql:app:sen//sentinel-secret@db0/app",
                "r2dbc:postgresql:failover://app:sentinel-secret@db0,db1/app",
                "host=db0 dbname=app user=app password=sentinel-secret",
                "jdbc:postgresql://db0/app;password=sentinel-secret",
                "postgresql://db0/app?password=sentinel-secret",
                "sentinel-secret:postgresql://db0/app",
                "r2dbc:postgresql://db0/app?applicationName=me@x&sslPassword=sentinel-secret&oops",
                "r2dbc:postgresql://app:x@sentinel-secret/12@db0/app",
                "r2dbc:postgresql://app:x?sentinel-secret@db0/app",
                "r2dbc:postgresql://app:x#sentinel-secret@db0/app",
                "r2dbc:pool:postgresql://app:sentinel-secret@db0/app?password=sentinel-secret"
            })
    void unusableUrlIsExplainedWithoutItsPassword(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NodeAddress.parse(url))
                .withMessageContaining("expected r2dbc:postgresql://user:password@host:5432/database")
                .satisfies(error -> assertThat(stackTrace(error)).doesNotContain("sentinel-secret"));
    }

    @Test
    void passwordsDoNotPrint() {
        Shard shard = Shard.named("s0")
                .primary("r2dbc:postgresql://app:sentinel-secret@db0/app?sslPassword=sentinel-secret")
                .replica("r2dbc:postgresql://app:sentinel-secret@db1/app");

        assertThat(shard.toString() + shard.nodes() + shard.primary().address())
                .doesNotContain("sentinel-secret")
                .contains("db0:5432", "db1:5432");
        assertThat(Secret.of("sentinel-secret")).hasToString("******");
    }

    private static String stackTrace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
