package io.reactiverouter;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Parameter;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.Statement;
import io.reactiverouter.connection.SoleStatement;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.ZonedDateTime;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A statement with its parameters, {@code $1} being the first. Immutable. {@link #toString()} shows the SQL and never a
 * parameter.
 *
 * <p>Rows are read in portions of {@value #DEFAULT_FETCH_SIZE}, through a cursor of the server: memory stays bounded
 * whatever the size of the result, and a subscriber that stops asking stops the cursor.
 */
public final class Query {

    /** Rows that the server sends at once unless {@link #fetchSize(int)} says otherwise. */
    public static final int DEFAULT_FETCH_SIZE = 1_024;

    /** Types with codecs of the driver; with another one's, an application can have a value sent when it pleases. */
    private static final Set<Class<?>> SENT_AT_ONCE = Set.of(
            String.class,
            Long.class,
            Integer.class,
            Short.class,
            Byte.class,
            Double.class,
            Float.class,
            BigDecimal.class,
            BigInteger.class,
            Boolean.class,
            UUID.class,
            Instant.class,
            LocalDate.class,
            LocalTime.class,
            LocalDateTime.class,
            OffsetTime.class,
            OffsetDateTime.class,
            ZonedDateTime.class);

    private final String sql;
    private final @Nullable Object[] parameters;
    private final int fetchSize;

    private Query(String sql, @Nullable Object[] parameters, int fetchSize) {
        this.sql = sql;
        this.parameters = parameters;
        this.fetchSize = fetchSize;
    }

    /**
     * Returns a query of this SQL and these parameters. A parameter is of a type that the driver can encode, or an
     * {@link io.r2dbc.spi.Parameter} that names its PostgreSQL type, or null, whose type the server infers.
     *
     * @throws IllegalArgumentException if the SQL is blank
     */
    public static Query of(String sql, @Nullable Object... parameters) {
        if (sql.isBlank()) {
            throw new IllegalArgumentException("SQL must not be blank");
        }
        Objects.requireNonNull(parameters, "pass (Object) null for a single parameter that is null");
        return new Query(sql, parameters.clone(), DEFAULT_FETCH_SIZE);
    }

    /**
     * Sets how many rows the server sends at once; 0 is all of them in one round trip, which suits results that are known
     * to be small.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public Query fetchSize(int rows) {
        if (rows < 0) {
            throw new IllegalArgumentException("fetch size must be at least 0, was " + rows);
        }
        return new Query(sql, parameters, rows);
    }

    public String sql() {
        return sql;
    }

    public int fetchSize() {
        return fetchSize;
    }

    /**
     * Runs the query on a connection, as within a transaction, and maps each row while it is being read. A row must not be
     * used after its mapper has returned.
     */
    public <T> Flux<T> fetch(Connection connection, Function<? super Row, ? extends T> mapper) {
        return Flux.defer(() ->
                        Flux.from(statement(connection).fetchSize(fetchSize).execute()))
                .concatMap(result -> map(result, mapper), 1);
    }

    /** Runs the query on a connection, as within a transaction, and counts the rows that it wrote. */
    public Mono<Long> update(Connection connection) {
        return Flux.defer(() -> Flux.from(statement(connection).execute()))
                .concatMap(Result::getRowsUpdated, 1)
                .reduce(0L, Long::sum);
    }

    /** Does the same as {@link #fetch}, as all that a connection is taken from its pool for. */
    <T> Publisher<T> fetchAlone(Connection connection, Function<? super Row, ? extends T> mapper) {
        Statement statement = fetchSize == 0 ? aloneOn(connection) : null;
        return statement == null
                ? fetch(connection, mapper)
                : Flux.<Result>from(statement.execute()).concatMap(result -> map(result, mapper), 1);
    }

    /** Does the same as {@link #update}, as all that a connection is taken from its pool for. */
    Publisher<Long> updateAlone(Connection connection) {
        Statement statement = aloneOn(connection);
        return statement == null
                ? update(connection)
                : Flux.<Result>from(statement.execute())
                        .concatMap(Result::getRowsUpdated, 1)
                        .reduce(0L, Long::sum);
    }

    private @Nullable Statement aloneOn(Connection connection) {
        if (parameters.length == 0) {
            return null;
        }
        for (Object parameter : parameters) {
            if (!isSentAtOnce(parameter instanceof Parameter typed ? typed.getValue() : parameter)) {
                return null;
            }
        }
        Statement statement = SoleStatement.of(connection, sql);
        if (statement != null) {
            bind(statement, parameters);
        }
        return statement;
    }

    /** Says whether the driver needs to wait for nobody, as a codec of the application's could make it, to send a parameter. */
    private static boolean isSentAtOnce(@Nullable Object value) {
        return value == null || SENT_AT_ONCE.contains(value.getClass());
    }

    /** Returns this query in another form. */
    Query rewritten(String otherSql, @Nullable Object[] otherParameters) {
        return new Query(otherSql, otherParameters, fetchSize);
    }

    /** Returns the parameters and more of them. */
    @Nullable Object[] with(Object... more) {
        @Nullable Object[] all = Arrays.copyOf(parameters, parameters.length + more.length);
        System.arraycopy(more, 0, all, parameters.length, more.length);
        return all;
    }

    /** Returns the values of {@code $1} and so on; not a copy. */
    @Nullable Object[] parameters() {
        return parameters;
    }

    private static <T> Publisher<T> map(Result result, Function<? super Row, ? extends T> mapper) {
        return result.map((row, metadata) -> {
            T value = mapper.apply(row);
            return requireValue(value);
        });
    }

    static <T> T requireValue(@Nullable T value) {
        if (value == null) {
            throw new NullPointerException(
                    "the row mapper returned null; return an Optional, or leave such rows out in SQL");
        }
        return value;
    }

    private Statement statement(Connection connection) {
        Statement statement = connection.createStatement(sql);
        bind(statement, parameters);
        return statement;
    }

    static void bind(Statement statement, @Nullable Object[] parameters) {
        for (int i = 0; i < parameters.length; i++) {
            Object parameter = parameters[i];
            if (parameter == null) {
                statement.bindNull(i, Object.class);
            } else {
                statement.bind(i, parameter);
            }
        }
    }

    @Override
    public String toString() {
        return "Query[" + sql + "]";
    }
}
