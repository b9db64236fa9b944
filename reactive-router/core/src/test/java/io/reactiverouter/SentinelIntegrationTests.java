package io.reactiverouter;

import static org.assertj.core.api.Assertions.assertThat;

import io.reactiverouter.test.ShardNode;
import io.reactiverouter.test.ShardsExtension;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A marked password is looked for in all that an application prints, with every logger at TRACE. */
@NullUnmarked
class SentinelIntegrationTests {

    @RegisterExtension
    static final ShardsExtension SHARDS = ShardsExtension.embedded(1);

    private static final String SENTINEL = "Zx7-sentinel-Qk93-password";

    private static final String LOG_EVERYTHING = """
            <configuration>
                <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
                    <encoder><pattern>%level %logger %mdc %msg %xEx%n</pattern></encoder>
                </appender>
                <root level="TRACE"><appender-ref ref="console"/></root>
            </configuration>
            """;

    /** A row of a dump of Netty: sixteen bytes, in which no word is whole. */
    private static final Pattern DUMP = Pattern.compile("\\|[0-9a-f]{8}\\|((?: [0-9a-f]{2})+) *\\|.*");

    @BeforeAll
    static void loginInEveryWay() throws SQLException {
        ShardNode node = SHARDS.node(0);
        try (var connection = node.openSuperuserJdbc();
                var statement = connection.createStatement()) {
            String file;
            try (ResultSet setting = statement.executeQuery("select current_setting('hba_file')")) {
                setting.next();
                file = setting.getString(1);
            }
            for (String sql : List.of(
                    "create role cleartext login password '" + SENTINEL + "'",
                    "create role scrammed login password '" + SENTINEL + "'",
                    "set password_encryption = 'md5'",
                    "create role digest login password '" + SENTINEL + "'",
                    "copy (values ('host all cleartext 127.0.0.1/32 password'), ('host all digest 127.0.0.1/32 md5'),"
                            + " ('host all all 127.0.0.1/32 scram-sha-256')) to '" + file + "'",
                    "select pg_reload_conf()")) {
                statement.execute(sql);
            }
        }
    }

    @Test
    void passwordIsNowhere(@TempDir Path directory) throws Exception {
        List<String> found = new ArrayList<>();
        StringBuilder seen = new StringBuilder();
        Process application = start(directory);
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(application.getInputStream(), StandardCharsets.UTF_8))) {
            ByteArrayOutputStream dumped = new ByteArrayOutputStream();
            String before = "";
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                Matcher dump = DUMP.matcher(line);
                if (dump.matches()) {
                    dumped.write(
                            HexFormat.ofDelimiter(" ").parseHex(dump.group(1).strip()));
                    continue;
                }
                if (dumped.size() > 0 && !line.startsWith("+---")) {
                    look(dumped.toString(StandardCharsets.ISO_8859_1), "bytes in the log", found, seen);
                    dumped.reset();
                }
                look(line, before, found, seen);
                before = line;
            }
            assertThat(application.waitFor(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            application.destroyForcibly();
        }

        assertThat(seen)
                .as("what was done and seen")
                .contains("DONE")
                .contains("SUCCEEDED login cleartext", "SUCCEEDED login digest", "SUCCEEDED login scrammed")
                .contains("FAILED wrong password cleartext with", "FAILED unreachable with NodeUnreachableException")
                .contains("FAILED TLS refused with NodeUnreachableException")
                .contains("FAILED identity refused with WrongDatabaseException")
                .contains("FAILED full or late with PoolExhaustedException")
                .contains("FAILED full or late with AcquireTimeoutException")
                .contains("FAILED option with IllegalArgumentException", "FAILED login with IllegalArgumentException")
                .contains("FAILED migrations cleartext with MigrationFailedException")
                .contains("FAILED migrations unreachable with MigrationFailedException")
                .contains("FAILED migrations option with IllegalArgumentException")
                .contains("FE=> StartupPacket(", "FE=> Password(")
                .contains("WARN io.reactiverouter.connection.LeakWatch")
                .contains("DEBUG io.r2dbc.postgresql.client.ReactorNettyClient")
                .contains("PasswordMessage{")
                .contains("TRACE io.r2dbc.postgresql.client.ReactorNettyClient")
                .contains("DEBUG reactor.netty")
                .contains("bytes in the log: " + SentinelProbe.STATEMENT);
        assertThat(found).as("where the password was").isEmpty();
    }

    /** Looks for the password as it is, and for what stands for all else that is to be there. */
    private static void look(String text, String where, List<String> found, StringBuilder seen) {
        if (text.contains(SENTINEL)) {
            found.add(where + ": " + text);
        }
        if (text.contains(SentinelProbe.STATEMENT) && where.equals("bytes in the log")) {
            seen.append(where).append(": ").append(SentinelProbe.STATEMENT).append('\n');
        } else if (!where.equals("bytes in the log")) {
            seen.append(text, 0, Math.min(text.length(), 400)).append('\n');
        }
    }

    private static Process start(Path directory) throws IOException {
        Path logging = Files.writeString(directory.resolve("logback.xml"), LOG_EVERYTHING);
        ShardNode node = SHARDS.node(0);
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dlogback.configurationFile=" + logging,
                        "-cp",
                        System.getProperty("java.class.path"),
                        SentinelProbe.class.getName(),
                        "127.0.0.1:" + node.port() + "/" + node.database())
                .redirectErrorStream(true);
        builder.environment().put("SENTINEL", SENTINEL);
        return builder.start();
    }
}
