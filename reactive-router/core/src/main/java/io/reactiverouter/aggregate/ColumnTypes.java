package io.reactiverouter.aggregate;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The types that PostgreSQL gives the group columns and the aggregates, in this order. It is asked with the aggregates as
 * they were written, so it refuses itself what it cannot compute.
 */
record ColumnTypes(List<SqlType> types) {

    /**
     * A type.
     *
     * @param oid the type, or what is beneath if it is a domain; 0 if it is not built in, for then each shard has another
     * @param name its name, the same on each shard
     */
    record SqlType(int oid, String name) {

        static final int BIGINT = 20;
        static final int REAL = 700;
        static final int DOUBLE = 701;
        static final int NUMERIC = 1700;

        /** Whether PostgreSQL prints values for which Java's types have no room: NaN, the infinities and zeros with a scale. */
        boolean isNumeric() {
            return oid == NUMERIC;
        }
    }

    /** FirstNormalObjectId: the server gives such numbers to what users create. */
    private static final int FIRST_OF_USERS = 16_384;

    /** Whether values of the expression that the server holds for equal have the same bytes, as far as they are text. */
    private static final String HAS_EQUAL_BYTES =
            "coalesce((select c.collisdeterministic from pg_catalog.pg_collation c"
                    + " where c.oid = case when (select t.typcollation from pg_catalog.pg_type t"
                    + " where t.oid = pg_catalog.pg_typeof(%1$s)) <> 0"
                    + " then pg_catalog.pg_collation_for(%1$s)::pg_catalog.regcollation end), true)";

    ColumnTypes {
        types = List.copyOf(types);
    }

    /** Asks in one round trip. The query is planned, and none of its rows computed. */
    static Mono<ColumnTypes> describe(
            Connection connection, String sql, @Nullable Object[] parameters, Aggregation aggregation) {
        List<String> expressions = new ArrayList<>();
        aggregation.groups().forEach(group -> expressions.add("q." + Sql.identifier(group)));
        aggregation.aggregates().forEach(aggregate -> expressions.add(aggregate.sql("q")));
        List<String> compared = new ArrayList<>(aggregation.groups());
        aggregation.distinctColumns().stream()
                .filter(column -> !compared.contains(column))
                .forEach(compared::add);
        String statement = statement(sql, aggregation.groups(), expressions, compared);
        return Flux.defer(() -> Flux.from(
                        bind(connection.createStatement(statement), parameters).execute()))
                .concatMap(result -> read(result, expressions.size(), compared), 1)
                .single();
    }

    private static Flux<ColumnTypes> read(Result result, int count, List<String> compared) {
        return Flux.from(result.map((row, metadata) -> {
            for (int i = 0; i < compared.size(); i++) {
                if (!Boolean.TRUE.equals(row.get(2 * count + i, Boolean.class))) {
                    throw new UnsupportedAggregateException("column " + compared.get(i)
                            + " has a collation under which different texts are equal; such groups and distinct values"
                            + " cannot be merged; write it with collate \"C\", or as lower(...), in the query");
                }
            }
            return new ColumnTypes(IntStream.range(0, count)
                    .mapToObj(i -> type(row, metadata, i, count))
                    .toList());
        }));
    }

    private static SqlType type(Row row, RowMetadata metadata, int index, int count) {
        // The server tells the type beneath a domain for a value that it sends.
        int oid = (Integer) Objects.requireNonNull(
                metadata.getColumnMetadata(count + index).getNativeTypeMetadata(), "type of a column");
        // Beyond the range of an int, the driver's number is negative.
        boolean isBuiltIn = oid >= 0 && oid < FIRST_OF_USERS;
        return new SqlType(isBuiltIn ? oid : 0, Objects.requireNonNull(row.get(index, String.class)));
    }

    /** The query is on the inner side of a join that finds nothing: there is one row, whatever the groups. */
    private static String statement(String sql, List<String> groups, List<String> expressions, List<String> compared) {
        List<String> columns = new ArrayList<>();
        expressions.forEach(expression -> columns.add("pg_catalog.pg_typeof(" + expression + ")::text"));
        columns.addAll(expressions);
        compared.forEach(
                column -> columns.add("bool_and(" + HAS_EQUAL_BYTES.formatted("q." + Sql.identifier(column)) + ")"));
        return "select " + String.join(", ", columns) + " from (select 1) d left join " + Sql.table(sql, "q")
                + " on false" + Sql.groupBy(groups);
    }

    private static Statement bind(Statement statement, @Nullable Object[] parameters) {
        for (int i = 0; i < parameters.length; i++) {
            Object parameter = parameters[i];
            if (parameter == null) {
                statement.bindNull(i, Object.class);
            } else {
                statement.bind(i, parameter);
            }
        }
        return statement;
    }

    List<String> names() {
        return types.stream().map(SqlType::name).toList();
    }

    SqlType get(int index) {
        return types.get(index);
    }
}
