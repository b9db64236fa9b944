package io.reactiverouter.connection;

import io.netty.handler.ssl.SslContextBuilder;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.PostgresqlConnectionFactoryProvider;
import io.r2dbc.postgresql.client.SSLMode;
import io.r2dbc.postgresql.extension.Extension;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.ConnectionFactory;
import io.r2dbc.spi.ConnectionFactoryMetadata;
import io.r2dbc.spi.ConnectionFactoryOptions;
import io.r2dbc.spi.Option;
import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.observation.CloseReason;
import io.reactiverouter.order.SortCodecRegistrar;
import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.NodeAddress;
import io.reactiverouter.topology.Secret;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.netty.resources.LoopResources;
import reactor.util.Logger;
import reactor.util.Loggers;

/**
 * Opens connections to one node, turn by turn on every event loop, so that each loop gets its share whatever the number
 * of loops. Settings of the node's URL win over those of the cluster.
 */
final class NodeConnector implements ConnectionFactory {

    /**
     * Options of the driver that make sense in the URL of one server. The driver ignores misspelt ones in silence. Not
     * {@code fetchSize}: whether a statement has a cursor must be known here.
     */
    private static final Set<String> KNOWN_OPTIONS = Set.of(
            "applicationName",
            "compatibilityMode",
            "connectTimeout",
            "currentSchema",
            "errorResponseLogLevel",
            "forceBinary",
            "lockWaitTimeout",
            "noticeLogLevel",
            "options",
            "preferAttachedBuffers",
            "preparedStatementCacheQueries",
            "schema",
            "ssl",
            "sslCert",
            "sslKey",
            "sslMode",
            "sslNegotiation",
            "sslPassword",
            "sslRootCert",
            "sslSni",
            "sslmode",
            "sslnegotiation",
            "statementTimeout",
            "tcpKeepAlive",
            "tcpNoDelay",
            "timeZone");

    /** Found once: a look through the class path reads files, which must not happen on an event loop. */
    private static final List<Extension> EXTENSIONS = Stream.concat(
                    ServiceLoader.load(Extension.class).stream().map(ServiceLoader.Provider::get),
                    Stream.of(new SortCodecRegistrar()))
            .toList();

    /** Reactor's key for what becomes of an error that nobody waits for any more. */
    private static final String ON_ERROR_DROPPED = "reactor.onErrorDropped.local";

    private static final Logger LOG = Loggers.getLogger(NodeConnector.class);

    private final Node node;
    private final ConnectionSettings settings;
    private final EventLoops loops;
    private final AtomicInteger turn;
    private final Scheduler blocking;
    private final ConnectionCheck check;

    private final Consumer<Throwable> dropped;
    private final PoolCounts counts = new PoolCounts();
    private final Logins logins = new Logins();

    /** Set when the cluster is closed. */
    private volatile boolean shutDown;

    /** Where each open connection lives. */
    private final Map<Connection, EventLoops.ConnectionLoop> connectionLoops = new ConcurrentHashMap<>();

    /** Of all connections that are open, or being opened. */
    private final Set<EventLoops.ConnectionLoop> inUse = ConcurrentHashMap.newKeySet();

    NodeConnector(
            Node node,
            ConnectionSettings settings,
            EventLoops loops,
            int firstLoop,
            Scheduler blocking,
            ConnectionCheck check) {
        this.node = node;
        this.settings = settings;
        this.loops = loops;
        this.turn = new AtomicInteger(firstLoop);
        this.blocking = blocking;
        this.check = check;
        this.dropped =
                error -> LOG.debug("a connection attempt to {} that was given up has ended", this.node.id(), error);
        // Reads all settings now, so that a bad one fails when the cluster is built.
        configuration(loops.forConnection(firstLoop), null);
    }

    @Override
    public Mono<Connection> create() {
        Mono<Connection> made = Mono.defer(this::connect).subscribeOn(blocking).timeout(settings.connectTimeout());
        return logins.counting(made).onErrorMap(this::translate);
    }

    /** Called on a thread that may block: the driver reads certificates from files. */
    private Mono<Connection> connect() {
        try {
            // The driver looks the name up on the event loop, which must not block: this fills the JVM's cache for it.
            InetAddress.getAllByName(node.address().host());
        } catch (UnknownHostException e) {
            return Mono.error(e);
        }
        String password;
        try {
            password = password();
        } catch (RuntimeException e) {
            return Mono.error(new PasswordUnavailableException(node.id(), e));
        }
        EventLoops.ConnectionLoop loop = loops.forConnection(turn.getAndIncrement());
        PostgresqlConnectionFactory factory = new PostgresqlConnectionFactory(configuration(loop, password));
        // From here on, because a connection that is being opened must be cut with the others.
        inUse.add(loop);
        return factory.create()
                .<Connection>map(connection -> connection)
                .doOnNext(connection -> opened(connection, loop))
                .delayUntil(connection -> check.check(node.id(), connection))
                // The driver goes on waiting for a server that does not answer, whoever has left.
                .doOnError(error -> giveUp(loop))
                .doOnCancel(() -> giveUp(loop))
                .contextWrite(context -> context.put(ON_ERROR_DROPPED, dropped));
    }

    private void opened(Connection connection, EventLoops.ConnectionLoop loop) {
        connectionLoops.put(connection, loop);
        counts.opened();
        loop.whenEmpty(() -> {
            inUse.remove(loop);
            if (connectionLoops.remove(connection) != null) {
                CloseReason reason = loop.closing();
                counts.closed(reason != null ? reason : shutDown ? CloseReason.SHUTDOWN : CloseReason.BROKEN);
            }
        });
    }

    private void giveUp(EventLoops.ConnectionLoop loop) {
        loop.closing(CloseReason.REFUSED);
        inUse.remove(loop);
        loop.abort().subscribe(null, error -> LOG.debug("sockets of {} could not be closed", node.id(), error));
    }

    /** Returns the connections that are being opened. */
    Logins logins() {
        return logins;
    }

    /** Returns the event loop of a connection that this has made, null if it has been closed. */
    EventLoops.@Nullable ConnectionLoop loop(Connection connection) {
        return connectionLoops.get(connection);
    }

    /** Returns what has happened to the connections that this has made. */
    PoolCounts counts() {
        return counts;
    }

    /** Notes why a connection that this has made is about to be closed. */
    void closing(Connection connection, CloseReason reason) {
        EventLoops.ConnectionLoop loop = connectionLoops.get(connection);
        if (loop != null) {
            loop.closing(reason);
        }
    }

    /** From now on connections are closed because the cluster is. */
    void shutDown() {
        shutDown = true;
    }

    /** Closes the sockets of a connection that this has made, without a word to the server or a wait for it. */
    Mono<Void> abort(Connection connection, CloseReason reason) {
        EventLoops.ConnectionLoop loop = connectionLoops.get(connection);
        if (loop == null) {
            return Mono.empty();
        }
        loop.closing(reason);
        return loop.abort();
    }

    /** Asked for each connection: it may have changed, and asking may block. */
    private @Nullable String password() {
        Secret password = node.address().password();
        return password == null ? null : password.reveal();
    }

    /** The driver would pass over the spelling of libpq in silence. */
    private static String driversName(String option) {
        return option.equals("sslmode") ? PostgresqlConnectionFactoryProvider.SSL_MODE.name() : option;
    }

    /** Closes the sockets of all connections that this has made or is making. */
    Mono<Void> abortAll(CloseReason reason) {
        return Flux.defer(() -> Flux.fromIterable(List.copyOf(inUse)))
                .doOnNext(loop -> loop.closing(reason))
                .flatMap(EventLoops.ConnectionLoop::abort)
                .then();
    }

    private PostgresqlConnectionConfiguration configuration(LoopResources loop, @Nullable String password) {
        NodeAddress address = node.address();
        if (address.username() == null) {
            throw new IllegalArgumentException("node " + node.id()
                    + " has no user name; put one into its URL or set the" + " shard's credentials");
        }
        ConnectionFactoryOptions.Builder options = ConnectionFactoryOptions.builder()
                .option(ConnectionFactoryOptions.DRIVER, "postgresql")
                .option(ConnectionFactoryOptions.HOST, address.host())
                .option(ConnectionFactoryOptions.PORT, address.port())
                .option(ConnectionFactoryOptions.DATABASE, address.database())
                .option(ConnectionFactoryOptions.USER, address.username())
                .option(ConnectionFactoryOptions.CONNECT_TIMEOUT, settings.connectTimeout())
                .option(PostgresqlConnectionFactoryProvider.APPLICATION_NAME, settings.applicationName())
                .option(
                        PostgresqlConnectionFactoryProvider.SSL_MODE,
                        SSLMode.valueOf(settings.tls().name()))
                .option(PostgresqlConnectionFactoryProvider.SSL_CONTEXT_BUILDER_CUSTOMIZER, NodeConnector::byDriver)
                .option(PostgresqlConnectionFactoryProvider.AUTODETECT_EXTENSIONS, false)
                .option(PostgresqlConnectionFactoryProvider.EXTENSIONS, EXTENSIONS)
                .option(PostgresqlConnectionFactoryProvider.LOOP_RESOURCES, loop);
        if (!settings.statementTimeout().isZero()) {
            options.option(ConnectionFactoryOptions.STATEMENT_TIMEOUT, settings.statementTimeout());
        }
        if (password != null) {
            options.option(ConnectionFactoryOptions.PASSWORD, password);
        }
        Map<String, String> own = address.options();
        if (Boolean.parseBoolean(own.get("ssl"))) {
            // The mode that is set above would win over it.
            options.option(PostgresqlConnectionFactoryProvider.SSL_MODE, SSLMode.VERIFY_FULL);
        }
        own.forEach((name, value) -> options.option(Option.<Object>valueOf(driversName(known(name))), value));
        try {
            return PostgresqlConnectionFactoryProvider.builder(options.build()).build();
        } catch (RuntimeException e) {
            // The cause is left out on purpose: it can repeat the value of an option.
            throw new IllegalArgumentException("an option in the URL of node " + node.id()
                    + " has a value that the driver" + " does not take; options there: "
                    + address.options().keySet());
        }
    }

    /**
     * The driver checks the server's name itself, where {@code verify-full} asks for it. Netty 4.2 would check it too, always,
     * and fails because the driver does not tell it the name.
     */
    private static SslContextBuilder byDriver(SslContextBuilder builder) {
        return builder.endpointIdentificationAlgorithm(null);
    }

    private String known(String option) {
        if (!KNOWN_OPTIONS.contains(option)) {
            throw new IllegalArgumentException("the URL of node " + node.id() + " has the option \"" + option
                    + "\", which is unknown or not for the URL of one server; known are "
                    + KNOWN_OPTIONS.stream().sorted().toList());
        }
        return option;
    }

    private Throwable translate(Throwable error) {
        if (error instanceof ConnectionRefusal) {
            return error;
        }
        if (error instanceof R2dbcException refusal && !isConnectionFailure(refusal.getSqlState())) {
            return refusal;
        }
        if (error instanceof TimeoutException) {
            return new NodeUnreachableException(
                    node.id(), new TimeoutException("no connection within " + settings.connectTimeout()));
        }
        return new NodeUnreachableException(node.id(), error);
    }

    /** Says whether there is no word of the server itself: no SQLSTATE, or class 08, connection exception. */
    private static boolean isConnectionFailure(@Nullable String sqlState) {
        return sqlState == null || sqlState.startsWith("08");
    }

    @Override
    public ConnectionFactoryMetadata getMetadata() {
        return () -> "PostgreSQL";
    }

    @Override
    public String toString() {
        return "NodeConnector[" + node.id() + "]";
    }
}
