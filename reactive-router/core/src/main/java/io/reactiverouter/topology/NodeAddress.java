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
     * @throws IllegalArgumentException if the URL has another form; the message shows the URL without its password
     */
    public static NodeAddress parse(String url) {
        if (url.startsWith("r2dbc:postgresql:failover") || url.startsWith("r2dbc:pool")) {
            throw invalid(url, "name one server in each URL and leave pooling and failover to the cluster");
        }
        if (!url.startsWith(SCHEME)) {
            throw invalid(url, "it must start with " + SCHEME);
        }
        URI uri;
        try {
            uri = new URI(url.substring("r2dbc:".length()));
        } catch (URISyntaxException e) {
            // The cause is left out on purpose: its message repeats the input, password included.
            throw invalid(url, "percent-encode special characters in user, password and options");
        }
        if (uri.getHost() == null) {
            throw invalid(url, "it must name exactly one host, and special characters must be percent-encoded");
        }
        String path = uri.getPath();
        if (path == null || path.length() < 2) {
            throw invalid(url, "it must end with the name of a database");
        }
        String rawPath = uri.getRawPath();
        if (uri.getRawFragment() != null
                || rawPath.indexOf('@') >= 0
                || rawPath.indexOf('&') >= 0
                || rawPath.indexOf('/', 1) >= 0) {
            // Most likely a password with a character that ends it too early: it must not become part of a name.
            throw invalid(url, "percent-encode /, @, &, ? and # in user, password and database");
        }
        int port = uri.getPort() == -1 ? 5432 : uri.getPort();
        if (port < 1 || port > 65535) {
            throw invalid(url, "the port must be 1 to 65535");
        }
        String[] login = login(uri);
        return new NodeAddress(
                uri.getHost(),
                port,
                path.substring(1),
                login.length > 0 ? login[0] : null,
                login.length > 1 ? Secret.of(login[1]) : null,
                options(url, uri.getRawQuery()));
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

    private static Map<String, String> options(String url, @Nullable String query) {
        Map<String, String> options = new LinkedHashMap<>();
        if (query != null && !query.isEmpty()) {
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                if (equals < 1) {
                    throw invalid(url, "options must have the form name=value, joined by &");
                }
                options.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
            }
        }
        return options;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static IllegalArgumentException invalid(String url, String remedy) {
        return new IllegalArgumentException(
                "PostgreSQL URL is not usable: " + remedy + "; expected " + FORM + ", was " + redact(url));
    }

    /** Shows no more than what cannot hold a secret: the scheme, and what follows the last @ up to the options. */
    private static String redact(String url) {
        if (!url.startsWith(SCHEME)) {
            return url.substring(0, Math.min(url.length(), Math.max(0, url.indexOf(':')))) + ":***";
        }
        String rest = url.substring(url.lastIndexOf('@') + 1);
        String shown = rest.length() == url.length() ? url.substring(SCHEME.length()) : "***@" + rest;
        for (int i = 0; i < shown.length(); i++) {
            if ("?&;#".indexOf(shown.charAt(i)) >= 0) {
                return SCHEME + shown.substring(0, i + 1) + "***";
            }
        }
        return SCHEME + shown;
    }
}
