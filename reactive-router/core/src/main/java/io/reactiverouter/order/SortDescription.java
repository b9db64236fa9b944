package io.reactiverouter.order;

import io.r2dbc.spi.ColumnMetadata;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import io.reactiverouter.order.SortKey.Collation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Finds out what the sort keys of a query are. The query stands on the inner side of an outer join that is always false:
 * the server plans it and knows its columns, and has no reason to run it.
 */
final class SortDescription {

    private static final String UTF8 = "UTF8";

    /** One row of nulls in place of the query. Its last line may be a comment, hence the new line. */
    private static final String NOTHING_OF = "from (select 1) d left join (%s\n) q on false";

    /**
     * The catalog's entries for the keys. All names are qualified; a name that the query itself uses is not in its scope
     * here. The default collation is that of the database, whose columns differ between versions, hence JSON.
     */
    private static final String CATALOG = """
             cross join lateral (values %s) k(n, type, coll)
             cross join lateral (
              with recursive domains(type) as (
               select k.type
               union all
               select t.typbasetype from domains join pg_catalog.pg_type t on t.oid = domains.type where t.typtype = 'd')
              select t.oid, t.typname, t.typnamespace, t.typtype
              from domains join pg_catalog.pg_type t on t.oid = domains.type where t.typtype <> 'd') b
             join pg_catalog.pg_namespace s on s.oid = b.typnamespace
             left join pg_catalog.pg_collation c on c.oid = k.coll::pg_catalog.regcollation
             cross join lateral (
              select pg_catalog.pg_encoding_to_char(d.encoding) as encoding, d.datcollate as locale,
               coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') as provider,
               coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') as own_locale
              from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) db
             order by k.n
            """;

    /** Locales of the C library in which text sorts by its bytes; so it does in all of PostgreSQL's own, the builtin ones. */
    private static final String FOUND = """
            select b.oid::pg_catalog.int8, b.typtype::pg_catalog.text,
             pg_catalog.format_type(k.type, null),
             pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(b.typname),
             array(select e.enumlabel::pg_catalog.text from pg_catalog.pg_enum e where e.enumtypid = b.oid
              order by e.enumsortorder),
             k.coll,
             case when c.collprovider = 'd' then db.provider = 'b' or db.provider = 'c' and db.locale in ('C', 'POSIX')
              else c.collisdeterministic and (c.collprovider = 'b'
               or c.collprovider = 'c' and c.collcollate in ('C', 'POSIX')) end,
             case when c.collprovider = 'd' then case when db.provider = 'c' then db.locale else db.own_locale end end,
             db.encoding,
             pg_catalog.current_setting('client_encoding'),
             pg_catalog.current_setting('extra_float_digits')::pg_catalog.int4
            """;

    private final Connection connection;
    private final String sql;
    private final @Nullable Object[] parameters;
    private final List<SortKey> keys;

    SortDescription(Connection connection, String sql, @Nullable Object[] parameters, List<SortKey> keys) {
        this.connection = connection;
        this.sql = sql;
        this.parameters = parameters.clone();
        this.keys = List.copyOf(keys);
    }

    Mono<SortPlan> describe() {
        requireDistinctKeys();
        return rows(columnsSql(), (row, metadata) -> textColumns(metadata.getColumnMetadatas()))
                .single()
                .flatMapMany(texts -> rows(typesSql(texts), (row, metadata) -> Found.of(row)))
                .collectList()
                .map(this::plan);
    }

    private void requireDistinctKeys() {
        if (keys.isEmpty()) {
            throw new SortOrderException("an order needs at least one sort key");
        }
        Set<String> seen = new HashSet<>();
        for (SortKey key : keys) {
            if (!seen.add(key.column())) {
                throw new SortOrderException("sort key \"" + key.column()
                        + "\" is named twice; the second has no effect," + " so take it out");
            }
        }
    }

    /** Returns the statement whose result has the query's columns. */
    String columnsSql() {
        return "select q.* " + NOTHING_OF.formatted(sql);
    }

    /**
     * Returns the statement whose result has one row for each key.
     *
     * @param texts the columns of a text type: the server refuses the question for the collation of another
     */
    String typesSql(Set<String> texts) {
        List<String> values = new ArrayList<>();
        for (SortKey key : keys) {
            String column = "q." + SortColumn.quoted(key.column());
            values.add("(" + values.size() + ", pg_catalog.pg_typeof(" + column + ")::pg_catalog.oid, "
                    + (texts.contains(key.column())
                            ? "pg_catalog.pg_collation_for(" + column + ")"
                            : "null::pg_catalog.text")
                    + ")");
        }
        return FOUND + NOTHING_OF.formatted(sql) + CATALOG.formatted(String.join(", ", values));
    }

    /** Returns which keys are text, whose types the server sends without their domains; all keys must be columns. */
    private Set<String> textColumns(List<? extends ColumnMetadata> columns) {
        requireColumns(columns.stream().map(ColumnMetadata::getName).toList());
        Set<String> texts = new HashSet<>();
        for (ColumnMetadata column : columns) {
            KeyKind kind = column.getNativeTypeMetadata() instanceof Integer oid ? KeyKind.ofOid(oid) : null;
            if (kind != null && kind.isText()) {
                texts.add(column.getName());
            }
        }
        return texts;
    }

    private void requireColumns(List<String> names) {
        for (SortKey key : keys) {
            int count = Collections.frequency(names, key.column());
            if (count == 0) {
                throw noColumn(key, names);
            }
            if (count > 1) {
                throw new SortOrderException("sort key \"" + key.column() + "\" is ambiguous: the query has " + count
                        + " columns of this name; rename all but one with \"as\"");
            }
        }
    }

    static SortOrderException noColumn(SortKey key, List<String> names) {
        return new SortOrderException("sort key \"" + key.column() + "\" is no column of the query, which has " + names
                + "; names are compared with their case");
    }

    private SortPlan plan(List<Found> found) {
        List<SortColumn> columns = new ArrayList<>();
        for (int i = 0; i < keys.size(); i++) {
            columns.add(found.get(i).column(keys.get(i)));
        }
        return new SortPlan(columns);
    }

    private <T> Flux<T> rows(String statement, BiFunction<Row, RowMetadata, T> mapper) {
        return Flux.defer(() -> Flux.from(execute(bind(connection.createStatement(statement)))))
                .concatMap(result -> result.map(mapper), 1);
    }

    private Statement bind(Statement statement) {
        for (int i = 0; i < parameters.length; i++) {
            Object parameter = parameters[i];
            try {
                if (parameter == null) {
                    statement.bindNull(i, Object.class);
                } else {
                    statement.bind(i, parameter);
                }
            } catch (IndexOutOfBoundsException | UnsupportedOperationException e) {
                throw new SortOrderException("the query has fewer parameters than the " + parameters.length
                        + " that are given; there is no $" + (i + 1));
            } catch (IllegalArgumentException e) {
                // The driver's message holds the value.
                throw new SortOrderException("parameter $" + (i + 1) + " is of "
                        + (parameter == null ? "a class" : parameter.getClass()) + ", which the driver cannot send");
            }
        }
        return statement;
    }

    private Publisher<? extends Result> execute(Statement statement) {
        try {
            return statement.execute();
        } catch (IllegalStateException e) {
            // The driver's word for parameters that are not bound.
            throw new SortOrderException(
                    "the query has more parameters than the " + parameters.length + " that are given");
        }
    }

    /**
     * What the server says of one key.
     *
     * @param oid the type, beneath all domains
     * @param declared name of the type as declared
     * @param name name of the type with its schema, as SQL
     * @param collation null for a type that has none, or where the query leaves it open
     * @param locale that of the database, where the collation is the database's
     */
    private record Found(
            long oid,
            boolean isEnum,
            String declared,
            String name,
            List<String> labels,
            @Nullable String collation,
            boolean byCodePoint,
            @Nullable String locale,
            String serverEncoding,
            String clientEncoding,
            int extraFloatDigits) {

        static Found of(Row row) {
            return new Found(
                    value(row, 0, Long.class),
                    value(row, 1, String.class).equals("e"),
                    value(row, 2, String.class),
                    value(row, 3, String.class),
                    Arrays.asList(value(row, 4, String[].class)),
                    row.get(5, String.class),
                    Boolean.TRUE.equals(row.get(6, Boolean.class)),
                    row.get(7, String.class),
                    value(row, 8, String.class),
                    value(row, 9, String.class),
                    value(row, 10, Integer.class));
        }

        private static <T> T value(Row row, int index, Class<T> type) {
            return Objects.requireNonNull(row.get(index, type));
        }

        SortColumn column(SortKey key) {
            KeyKind kind = isEnum ? KeyKind.ENUM : KeyKind.ofOid((int) oid);
            if (kind == null) {
                throw refusal(
                        key,
                        "is of type " + declared + ", whose order cannot be reproduced here; sort by one of "
                                + KeyKind.supported());
            }
            if (kind.isText()) {
                requireCodePoints(key);
            } else if (key.collation() == Collation.C) {
                throw refusal(key, "is of type " + declared + ", which has no collation; take out collateC()");
            }
            if (kind == KeyKind.FLOATING && extraFloatDigits < 1) {
                throw refusal(
                        key,
                        "is of type " + declared + ", and the session has extra_float_digits " + extraFloatDigits
                                + ", which rounds; set it to 1, PostgreSQL's default");
            }
            return new SortColumn(key, kind, isEnum ? new EnumLabels(name, labels) : null);
        }

        private void requireCodePoints(SortKey key) {
            if (!serverEncoding.equals(UTF8)) {
                throw refusal(
                        key,
                        "is text, and the database has the encoding " + serverEncoding
                                + ", in which text sorts otherwise; only UTF8 can be merged");
            }
            if (!clientEncoding.equals(UTF8)) {
                throw refusal(
                        key,
                        "is text, and the session has client_encoding " + clientEncoding
                                + "; the driver needs UTF8, so take out what sets another one");
            }
            if (key.collation() != Collation.AS_DECLARED || byCodePoint) {
                return;
            }
            String which = collation == null
                    ? "has no collation that the server can tell from the query"
                    : "sorts under the collation " + collation
                            + (locale == null ? "" : ", the database's locale " + locale)
                            + ", which is not by code point";
            throw refusal(key, which + "; use SortKey.collateC(), or collate \"C\" in the query");
        }

        private static SortOrderException refusal(SortKey key, String reason) {
            return new SortOrderException("sort key \"" + key.column() + "\" " + reason);
        }
    }
}
