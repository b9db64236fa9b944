package io.reactiverouter.topology;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a PostgreSQL server listens and how to log in to it, read from an R2DBC URL. Neither an error nor
 * {@link #toString()} shows a password or the value of a URL option.
 *
 * @param host name or address
 * @param port TCP port; 5432 where the URL names none
 * @param database the database; the whole path of the URL
 * @param username login name, null where the URL names none
 * @param password password, null where the URL has none
 * @param options what follows the question mark, passed to the driver as it is
 */
public record NodeAddress(
        String host,
        int port,
        String database,
        @Nullable String username,
        @Nullable Secret password,
        Map<String, String> options) {

    private static final String FORM = "r2dbc:postgresql://user:password@host:5432/database";
    private static final String SCHEME = "r2dbc:postgresql://";

    public NodeAddress {
        options = Map.copyOf(options);
    }

    /**
     * Reads {@code r2dbc:postgresql://[user[:password]@]host[:port]/database[?option=value&...]}; user, password and
     * option values are percent-decoded.
     *
     * @throws IllegalArgumentException if the URL has another form; the message shows nothing of the URL
     */
    public static NodeAddress parse(String url) {
        if (url.startsWith("r2dbc:postgresql:failover") || url.startsWith("r2dbc:pool")) {
            throw invalid("name one server in each URL and leave pooling and failover to the cluster");
        }
        if (!url.startsWith(SCHEME)) {
            throw invalid("it must start with " + SCHEME);
        }
        URI uri;
        try {
            uri = new URI(url.substring("r2dbc:".length()));
        } catch (URISyntaxException e) {
            // The cause is left out on purpose: its message repeats the input, password included.
            throw invalid("percent-encode special characters in user, password and options");
        }
        if (uri.getHost() == null) {
            throw invalid("it must name exactly one host, and special characters must be percent-encoded");
        }
        String path = uri.getPath();
        if (path == null || path.length() < 2) {
            throw invalid("it must end with the name of a database");
        }
        String rawPath = uri.getRawPath();
        if (uri.getRawFragment() != null
                || rawPath.indexOf('@') >= 0
                || rawPath.indexOf('&') >= 0
                || rawPath.indexOf('/', 1) >= 0) {
            // Most likely a password with a character that ends it too early: it must not become part of a name.
            throw invalid("percent-encode /, @, &, ? and # in user, password and database");
        }
        int port = uri.getPort() == -1 ? 5432 : uri.getPort();
        if (port < 1 || port > 65535) {
            throw invalid("the port must be 1 to 65535");
        }
        String[] login = login(uri);
        return new NodeAddress(
                uri.getHost(),
                port,
                path.substring(1),
                login.length > 0 ? login[0] : null,
                login.length > 1 ? Secret.of(login[1]) : null,
                options(uri.getRawQuery()));
    }

    /** Returns a copy with this login, which replaces that of the URL. */
    public NodeAddress withCredentials(String newUsername, @Nullable Secret newPassword) {
        return new NodeAddress(host, port, database, newUsername, newPassword, options);
    }

    /** Returns {@code host:port}. */
    public String endpoint() {
        return host + ":" + port;
    }

    /** Returns the URL without password and options. */
    @Override
    public String toString() {
        return SCHEME + (username == null ? "" : username + "@") + endpoint() + "/" + database;
    }

    private static String[] login(URI uri) {
        String userInfo = uri.getRawUserInfo();
        if (userInfo == null) {
            return new String[0];
        }
        String[] parts = userInfo.split(":", 2);
        for (int i = 0; i < parts.length; i++) {
            parts[i] = decode(parts[i]);
        }
        return parts;
    }

    private static Map<String, String> options(@Nullable String query) {
        Map<String, String> options = new LinkedHashMap<>();
        if (query != null && !query.isEmpty()) {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals < 1) {
                    throw invalid("options must have the form name=value, joined by &");
                }
                options.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
            }
        }
        return options;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Shows nothing of the URL, since nobody can tell which part of a malformed one is its password. */
    private static IllegalArgumentException invalid(String remedy) {
        return new IllegalArgumentException("PostgreSQL URL is not usable: " + remedy + "; expected " + FORM
                + " (the URL itself is not shown, it may hold a password)");
    }
}
