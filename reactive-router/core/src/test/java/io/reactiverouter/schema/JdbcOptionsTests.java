package io.reactiverouter.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.TlsMode;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.Shard;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JdbcOptionsTests {

    private static Node node(String options) {
        return Shard.named("s0")
                .primary("r2dbc:postgresql://app:hunter2@db0:5433/a%20b" + options)
                .primary();
    }

    private static Properties of(String options, ConnectionSettings settings) {
        return JdbcOptions.of(node(options), settings);
    }

    @Test
    void urlHasNeitherLoginNorOptions() {
        assertThat(JdbcOptions.url(node("?sslPassword=hunter2").address())).isEqualTo("jdbc:postgresql://db0:5433/a+b");
    }

    @Test
    void settingsAreSaidInJdbc() {
        assertThat(of("", ConnectionSettings.DEFAULTS.withConnectTimeout(Duration.ofMillis(1500))))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "ApplicationName", "reactive-router schema",
                        "tcpKeepAlive", "true",
                        "sslmode", "prefer",
                        "connectTimeout", "2",
                        "loginTimeout", "2"));
    }

    @ParameterizedTest
    @CsvSource({
        "DISABLE, '', disable",
        "REQUIRE, '', require",
        "VERIFY_CA, '', verify-ca",
        "VERIFY_FULL, '', verify-full",
        "PREFER, ?sslMode=VERIFY_FULL, verify-full",
        "PREFER, ?sslMode=verify-ca, verify-ca",
        "PREFER, ?sslmode=require, require",
        "PREFER, ?ssl=true, verify-full",
        "REQUIRE, ?ssl=false, require"
    })
    void tlsIsThatOfTheUrlOrOfTheSettings(TlsMode mode, String options, String expected) {
        assertThat(of(options, ConnectionSettings.DEFAULTS.withTls(mode))).containsEntry("sslmode", expected);
    }

    @Test
    void whomTheJvmTrustsIsTrustedWhereNoAuthorityIsNamed() {
        ConnectionSettings verify = ConnectionSettings.DEFAULTS.withTls(TlsMode.VERIFY_FULL);
        assertThat(of("", verify)).containsEntry("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory");
        assertThat(of("?sslRootCert=/ca.pem", verify))
                .containsEntry("sslrootcert", "/ca.pem")
                .doesNotContainKey("sslfactory");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("?sslCert=/own.pem", verify))
                .withMessageContaining("sslRootCert");
    }

    @Test
    void optionsOfTheUrlAreSaidInJdbc() {
        assertThat(of(
                        "?sslCert=/c&sslKey=/k&sslPassword=p&sslNegotiation=direct&schema=trading&connectTimeout=PT7S"
                                + "&options=work_mem=8MB;datestyle=iso%20dmy&forceBinary=true",
                        ConnectionSettings.DEFAULTS))
                .containsAllEntriesOf(Map.of(
                        "sslcert", "/c",
                        "sslkey", "/k",
                        "sslpassword", "p",
                        "sslNegotiation", "direct",
                        "currentSchema", "trading",
                        "connectTimeout", "7",
                        "options", "-c work_mem=8MB -c datestyle=iso\\ dmy"))
                .doesNotContainKey("forceBinary");
    }

    @Test
    void whatCannotBeSaidIsAnErrorWithoutItsValue() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("?fetchSize=hunter2", ConnectionSettings.DEFAULTS))
                .withMessageContaining("fetchSize")
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("?connectTimeout=hunter2", ConnectionSettings.DEFAULTS))
                .withMessageNotContaining("hunter2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of("?sslMode=tunnel", ConnectionSettings.DEFAULTS))
                .withMessageContaining("direct");
    }
}
