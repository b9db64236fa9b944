package io.reactiverouter.connection;

import static io.reactiverouter.TestClusters.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.reactiverouter.Query;
import io.reactiverouter.ShardCluster;
import io.reactiverouter.failover.FailoverSettings;
import io.reactiverouter.schema.DatabaseVersion;
import io.reactiverouter.schema.MigrationReport;
import io.reactiverouter.schema.SchemaSettings;
import io.reactiverouter.schema.ShardMigrations;
import io.reactiverouter.test.EmbeddedShards;
import io.reactiverouter.test.ShardNode;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** TLS to servers of whose certificates one says {@code 127.0.0.1} and the other {@code localhost}. */
@NullUnmarked
class TlsIntegrationTests {

    private static Path directory;
    private static Path authority;
    private static Path otherAuthority;
    private static EmbeddedShards byAddress;
    private static EmbeddedShards byName;

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        directory = temporary;
        X509Bundle ca = authority("CN=ours");
        authority = pem("ca.pem", ca.getCertificatePEM());
        otherAuthority = pem("other.pem", authority("CN=another").getCertificatePEM());
        byAddress = start("address", ca, new CertificateBuilder().addSanIpAddress("127.0.0.1"));
        byName = start("name", ca, new CertificateBuilder().addSanDnsName("localhost"));
    }

    private static EmbeddedShards start(String name, X509Bundle ca, CertificateBuilder certificate) throws Exception {
        X509Bundle server = certificate
                .subject("CN=a server of the tests")
                .addExtendedKeyUsageServerAuth()
                .buildIssuedBy(ca);
        Path key = pem(name + ".key", server.getPrivateKeyPEM());
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        return EmbeddedShards.builder(1)
                .setting("ssl", "on")
                .setting(
                        "ssl_cert_file",
                        pem(name + ".pem", server.getCertificatePEM()).toString())
                .setting("ssl_key_file", key.toString())
                .start();
    }

    @AfterAll
    static void stop() {
        byAddress.close();
        byName.close();
    }

    private static X509Bundle authority(String name) throws Exception {
        return new CertificateBuilder()
                .subject(name)
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
    }

    private static Path pem(String name, String content) throws Exception {
        return Files.writeString(directory.resolve(name), content);
    }

    @ParameterizedTest
    @CsvSource({"VERIFY_CA, 127.0.0.1", "VERIFY_CA, localhost", "VERIFY_FULL, 127.0.0.1", "VERIFY_FULL, localhost"})
    void certificateOfAKnownAuthorityIsAccepted(TlsMode mode, String host) {
        assertThat(encrypted(host, mode, authority).block(TIMEOUT)).isTrue();
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsMode.class,
            names = {"PREFER", "REQUIRE"})
    void othersEncryptWithoutLookingAtTheCertificate(TlsMode mode) {
        assertThat(encrypted("127.0.0.1", mode, null).block(TIMEOUT)).isTrue();
    }

    @Test
    void disabledMeansNone() {
        assertThat(encrypted("127.0.0.1", TlsMode.DISABLE, null).block(TIMEOUT)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"VERIFY_CA, 127.0.0.1", "VERIFY_FULL, 127.0.0.1"})
    void certificateOfAnotherAuthorityIsRefused(TlsMode mode, String host) {
        StepVerifier.create(encrypted(host, mode, otherAuthority))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NodeUnreachableException.class)
                        .hasMessageContaining("s0@" + host)
                        .hasRootCauseInstanceOf(java.security.GeneralSecurityException.class))
                .verify(TIMEOUT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void nameThatTheCertificateLacksIsRefusedByVerifyFullOnly(String host) {
        ShardNode other = (host.equals("localhost") ? byAddress : byName).node(0);
        assertThat(encrypted(other, host, TlsMode.VERIFY_CA, authority).block(TIMEOUT))
                .isTrue();
        StepVerifier.create(encrypted(other, host, TlsMode.VERIFY_FULL, authority))
                .expectErrorSatisfies(error -> assertThat(error)
                        .isInstanceOf(NodeUnreachableException.class)
                        .hasMessageContaining("s0@" + host)
                        .hasStackTraceContaining("hostname"))
                .verify(TIMEOUT);
    }

    @Test
    void serverWithoutTlsIsRefusedWhereItIsRequired() {
        try (EmbeddedShards plain = EmbeddedShards.start(1)) {
            StepVerifier.create(encrypted(plain.node(0), "127.0.0.1", TlsMode.REQUIRE, null))
                    .expectErrorSatisfies(error -> assertThat(error)
                            .isInstanceOf(NodeUnreachableException.class)
                            .hasMessageContaining("SSL"))
                    .verify(TIMEOUT);
            assertThat(encrypted(plain.node(0), "127.0.0.1", TlsMode.PREFER, null)
                            .block(TIMEOUT))
                    .isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "VERIFY_FULL, 127.0.0.1, true, UP_TO_DATE",
        "VERIFY_CA, localhost, true, UP_TO_DATE",
        "VERIFY_FULL, 127.0.0.1, false, UNREACHABLE",
        "REQUIRE, 127.0.0.1, false, UP_TO_DATE"
    })
    void migrationsCheckTheCertificateToo(TlsMode mode, String host, boolean ours, DatabaseVersion.State state) {
        ShardNode node = (host.equals("localhost") ? byName : byAddress).node(0);
        String url = "r2dbc:postgresql://app:app@" + host + ":" + node.port() + "/" + node.database() + "?sslRootCert="
                + (ours ? authority : otherAuthority);
        MigrationReport report = ShardMigrations.builder(
                        List.of(Shard.named("s0").primary(url)))
                .connection(ConnectionSettings.DEFAULTS.withTls(mode))
                .settings(SchemaSettings.DEFAULTS.withLocations(List.of("filesystem:" + directory)))
                .build()
                .info()
                .block(TIMEOUT);

        assertThat(report.databases())
                .extracting(DatabaseVersion::state)
                .as(report.toString())
                .containsExactly(state);
    }

    private static Mono<Boolean> encrypted(String host, TlsMode mode, Path root) {
        return encrypted((host.equals("localhost") ? byName : byAddress).node(0), host, mode, root);
    }

    private static Mono<Boolean> encrypted(ShardNode node, String host, TlsMode mode, Path root) {
        String url = "r2dbc:postgresql://" + host + ":" + node.port() + "/" + node.database()
                + (root == null ? "" : "?sslRootCert=" + root);
        return Mono.usingWhen(
                Mono.fromSupplier(() -> ShardCluster.builder()
                        .shard(Shard.named("s0").primary(url).credentials(node.username(), node.password()))
                        .connection(ConnectionSettings.DEFAULTS.withTls(mode))
                        .failover(FailoverSettings.DEFAULTS.withMaxWait(Duration.ZERO))
                        .build()),
                cluster -> cluster.shard(ShardId.of("s0"))
                        .queryOne(
                                Query.of("select ssl from pg_stat_ssl where pid = pg_backend_pid()"),
                                row -> row.get(0, Boolean.class)),
                ShardCluster::close);
    }
}
