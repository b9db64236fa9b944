package io.reactiverouter.schema;

import io.reactiverouter.connection.ConnectionSettings;
import io.reactiverouter.connection.TlsMode;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Says to the JDBC driver what the address and the settings of a node say to the R2DBC driver, so that shards are configured
 * once. The URL has neither login nor options: what is printed of it can show no secret.
 */
final class JdbcOptions {

    /** What both drivers know, by the R2DBC driver's name. */
    private static final Map<String, String> SAME = Map.of(
            "applicationName", "ApplicationName",
            "currentSchema", "currentSchema",
            "schema", "currentSchema",
            "sslCert", "sslcert",
            "sslKey", "sslkey",
            "sslPassword", "sslpassword",
            "sslRootCert", "sslrootcert",
            "sslNegotiation", "sslNegotiation",
            "sslnegotiation", "sslNegotiation");

    /** Matters of the R2DBC driver, or limits that migrations have their own for. */
    private static final Set<String> WITHOUT_MEANING = Set.of(
            "compatibilityMode",
            "errorResponseLogLevel",
            "forceBinary",
            "lockWaitTimeout",
            "noticeLogLevel",
            "preferAttachedBuffers",
            "preparedStatementCacheQueries",
            "sslSni",
            "statementTimeout",
            "tcpKeepAlive",
            "tcpNoDelay");

    private static final String JVM_TRUST = "org.postgresql.ssl.DefaultJavaSSLFactory";

    private JdbcOptions() {}

    static String url(NodeAddress address) {
        return "jdbc:postgresql://" + address.endpoint() + "/"
                + URLEncoder.encode(address.database(), StandardCharsets.UTF_8);
    }

    /**
     * Returns all but login and the limit of reads.
     *
     * @throws IllegalArgumentException if an option cannot be said in JDBC; the message shows no value
     */
    static Properties of(Node node, ConnectionSettings settings) {
        Properties properties = new Properties();
        properties.setProperty("ApplicationName", settings.applicationName() + " schema");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("sslmode", words(settings.tls()));
        Duration timeout = settings.connectTimeout();
        Map<String, String> options = node.address().options();
        for (Map.Entry<String, String> option : options.entrySet()) {
            String value = option.getValue();
            String same = SAME.get(option.getKey());
            if (same != null) {
                properties.setProperty(same, value);
            } else if (option.getKey().equals("connectTimeout")) {
                timeout = duration(node, value);
            } else if (option.getKey().equals("options")) {
                properties.setProperty("options", sessionOptions(value));
            } else if (!WITHOUT_MEANING.contains(option.getKey())
                    && !isTls(option.getKey())
                    && !isZone(option.getKey())) {
                throw new IllegalArgumentException("the URL of node " + node.id() + " has the option \""
                        + option.getKey() + "\", which migrations over JDBC do not know; take it out");
            }
        }
        String mode = tls(node, options);
        if (mode != null) {
            properties.setProperty("sslmode", mode);
        }
        trust(node, properties);
        properties.setProperty("connectTimeout", seconds(timeout));
        properties.setProperty("loginTimeout", seconds(timeout));
        return properties;
    }

    /** Returns the time zone of sessions, null if it is the JVM's. */
    static @Nullable String timeZone(NodeAddress address) {
        return address.options().get("timeZone");
    }

    /** Rounds up: zero would be no limit. */
    static String seconds(Duration time) {
        return Long.toString(Math.min(Integer.MAX_VALUE / 1000, Math.max(1, (time.toMillis() + 999) / 1000)));
    }

    private static boolean isTls(String option) {
        return option.equals("ssl") || option.equals("sslMode") || option.equals("sslmode");
    }

    private static boolean isZone(String option) {
        return option.equals("timeZone");
    }

    private static @Nullable String tls(Node node, Map<String, String> options) {
        String mode = options.getOrDefault("sslMode", options.get("sslmode"));
        if (mode == null) {
            return Boolean.parseBoolean(options.get("ssl")) ? words(TlsMode.VERIFY_FULL) : null;
        }
        String asked = mode.toLowerCase(Locale.ROOT).replace('_', '-');
        if (asked.equals("tunnel")) {
            throw new IllegalArgumentException("the URL of node " + node.id()
                    + " has sslMode=tunnel, which migrations over JDBC cannot do; use sslNegotiation=direct");
        }
        return asked;
    }

    private static String words(TlsMode mode) {
        return mode.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Without a certificate of its own the R2DBC driver trusts whom the JVM trusts; the JDBC driver must be told. */
    private static void trust(Node node, Properties properties) {
        if (!properties.getProperty("sslmode").startsWith("verify") || properties.containsKey("sslrootcert")) {
            return;
        }
        if (properties.containsKey("sslcert")) {
            throw new IllegalArgumentException("the URL of node " + node.id()
                    + " has sslCert without sslRootCert, which migrations over JDBC cannot do; name the file with the"
                    + " authority's certificate in sslRootCert");
        }
        properties.setProperty("sslfactory", JVM_TRUST);
    }

    private static Duration duration(Node node, String value) {
        try {
            return Duration.parse(value);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(
                    "the URL of node " + node.id() + " has a connectTimeout that is no ISO 8601 duration, as in PT5S");
        }
    }

    /** From {@code a=b;c=d} to {@code -c a=b -c c=d}. */
    private static String sessionOptions(String pairs) {
        return Arrays.stream(pairs.split(";"))
                .map(pair -> "-c " + pair.replace("\\", "\\\\").replace(" ", "\\ "))
                .collect(Collectors.joining(" "));
    }
}
