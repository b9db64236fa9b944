package io.reactiverouter.jmh;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.postgresql.codec.Codec;
import io.r2dbc.postgresql.codec.CodecRegistry;
import io.r2dbc.postgresql.message.Format;
import io.r2dbc.spi.ColumnMetadata;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Result;
import io.r2dbc.spi.Row;
import io.r2dbc.spi.RowMetadata;
import io.r2dbc.spi.Statement;
import io.r2dbc.spi.Type;
import io.reactiverouter.connection.ShardExecutor;
import io.reactiverouter.order.SortCodecRegistrar;
import io.reactiverouter.order.SortKey;
import io.reactiverouter.scatter.FailurePolicy;
import io.reactiverouter.scatter.ScatterGather;
import io.reactiverouter.scatter.ScatterQuery;
import io.reactiverouter.scatter.ScatterSettings;
import io.reactiverouter.scatter.Selection;
import io.reactiverouter.topology.NodeId;
import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Shards without servers: rows with one column {@code n}, a bigint, that lie in memory, and the router's own scatter-gather
 * over them. Each row passes what it would pass behind the driver: its mapper, and for an order the router's decoding of the
 * sort key from its eight bytes, the check of the order and the merge. There are no pools, and all happens on the thread of
 * the caller. The sorted numbers from 0 are dealt out to the shards one by one.
 */
final class MemoryShards {

    private static final int INT8 = 20;
    private static final String SQL = "select n from numbers";
    private static final Selection ORDERED = Selection.ALL.withOrder(List.of(SortKey.asc("n")), false);
    private static final ScatterSettings SETTINGS =
            new ScatterSettings(Duration.ofSeconds(30), null, FailurePolicy.FAIL_FAST, 16, null);

    private final List<ShardId> shards = new ArrayList<>();
    private final List<List<Row>> rows = new ArrayList<>();
    private final ScatterGather scatter;
    private final ScatterQuery<Long> query;

    /** Deals out the numbers from 0 to {@code count - 1}. */
    MemoryShards(int number, int count) {
        Map<ShardId, NodeId> nodes = new HashMap<>();
        Map<ShardId, @Nullable Object[]> parameters = new HashMap<>();
        MemoryColumn column = new MemoryColumn(keyCodec());
        for (int i = 0; i < number; i++) {
            Shard shard = Shard.named("s" + i).primary("r2dbc:postgresql://app@db" + i + "/app");
            shards.add(shard.id());
            nodes.put(shard.id(), shard.primary().id());
            parameters.put(shard.id(), new @Nullable Object[] {i});
            List<Row> own = new ArrayList<>();
            for (long n = i; n < count; n += number) {
                own.add(new MemoryRow(column, n));
            }
            rows.add(own);
        }
        Connection connection = connection();
        ShardExecutor executor = new ShardExecutor() {
            @Override
            public <T> Flux<T> execute(
                    NodeId node, Residue residue, Function<? super Connection, ? extends Publisher<T>> work) {
                return Flux.from(work.apply(connection));
            }
        };
        scatter = new ScatterGather(reading -> executor, shard -> Objects.requireNonNull(nodes.get(shard)));
        query = new Numbers(shard -> Objects.requireNonNull(parameters.get(shard)));
    }

    List<ShardId> shards() {
        return shards;
    }

    /** Returns the rows of one shard. */
    List<Row> rows(int shard) {
        return rows.get(shard);
    }

    /** Merges all numbers in order. */
    Flux<Long> ordered() {
        return scatter.rows(shards, SETTINGS, ORDERED, query);
    }

    /** Merges all numbers as they come. */
    Flux<Long> asTheyCome() {
        return scatter.rows(shards, SETTINGS, Selection.ALL, query);
    }

    /** The router's query, which finds its rows in memory. */
    private final class Numbers implements ScatterQuery<Long> {

        private final Function<ShardId, @Nullable Object[]> parameters;

        Numbers(Function<ShardId, @Nullable Object[]> parameters) {
            this.parameters = parameters;
        }

        @Override
        public String sql() {
            return SQL;
        }

        @Override
        public @Nullable Object[] parameters(ShardId shard) {
            return parameters.apply(shard);
        }

        @Override
        public int fetchSize() {
            return 1_024;
        }

        @Override
        public Long map(Row row) {
            return Objects.requireNonNull(row.get(0, Long.class));
        }

        @Override
        public <R> Publisher<R> run(
                Connection connection,
                String sql,
                @Nullable Object[] values,
                int fetchSize,
                Function<? super Row, ? extends R> mapper) {
            int shard = (Integer) Objects.requireNonNull(values[0]);
            return Flux.fromIterable(rows.get(shard)).<R>map(mapper).hide();
        }
    }

    /** Returns the codec by which the router reads sort keys, as it gives it to the driver. */
    private static Codec<?> keyCodec() {
        AtomicReference<@Nullable Codec<?>> codec = new AtomicReference<>();
        CodecRegistry registry = proxy(CodecRegistry.class, (proxy, method, arguments) -> {
            codec.set((Codec<?>) arguments[0]);
            return null;
        });
        PostgresqlConnection none = proxy(PostgresqlConnection.class, MemoryShards::unsupported);
        Mono.from(new SortCodecRegistrar().register(none, ByteBufAllocator.DEFAULT, registry))
                .block();
        return Objects.requireNonNull(codec.get());
    }

    /** Returns a connection that answers what the router asks about the column {@code n}. */
    private static Connection connection() {
        return proxy(Connection.class, (proxy, method, arguments) -> {
            if (!method.getName().equals("createStatement")) {
                return unsupported(proxy, method, arguments);
            }
            boolean columns = ((String) arguments[0]).startsWith("select q.*");
            Row answer = columns ? new MemoryRow(new MemoryColumn(null), 0) : new Described();
            return proxy(Statement.class, (statement, called, values) -> switch (called.getName()) {
                case "bind" -> statement;
                case "execute" -> Mono.just(new Answer(answer));
                default -> unsupported(statement, called, values);
            });
        });
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static @Nullable Object unsupported(
            Object proxy, java.lang.reflect.Method method, @Nullable Object @Nullable [] arguments) {
        throw new UnsupportedOperationException(method.toString());
    }

    /** One row of an answer. */
    private record Answer(Row row) implements Result {

        @Override
        public <T> Publisher<T> map(BiFunction<Row, RowMetadata, ? extends T> mapper) {
            return Mono.fromSupplier(() -> mapper.apply(row, row.getMetadata()));
        }

        @Override
        public Publisher<Long> getRowsUpdated() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Result filter(java.util.function.Predicate<Segment> filter) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> Publisher<T> flatMap(Function<Segment, ? extends Publisher<? extends T>> mapper) {
            throw new UnsupportedOperationException();
        }
    }

    /** What a server would say of the column. */
    private static final class Described implements Row {

        private static final @Nullable Object[] VALUES = {
            (long) INT8, "b", "bigint", "pg_catalog.int8", new String[0], null, null, null, "UTF8", "UTF8", 1
        };

        @Override
        public <T> @Nullable T get(int index, Class<T> type) {
            return type.cast(VALUES[index]);
        }

        @Override
        public <T> @Nullable T get(String name, Class<T> type) {
            throw new NoSuchElementException(name);
        }

        @Override
        public RowMetadata getMetadata() {
            return new MemoryColumn(null);
        }
    }

    /** A number, and the form in which a server would send it. */
    private record MemoryRow(MemoryColumn column, long n) implements Row {

        @Override
        public <T> @Nullable T get(int index, Class<T> type) {
            return type == Long.class ? type.cast(n) : column.decode(n, type);
        }

        @Override
        public <T> @Nullable T get(String name, Class<T> type) {
            return get(0, type);
        }

        @Override
        public RowMetadata getMetadata() {
            return column;
        }
    }

    /** The only column. */
    private static final class MemoryColumn implements RowMetadata, ColumnMetadata, Type {

        private final @Nullable Codec<?> codec;
        private final ByteBuf buffer = Unpooled.buffer(Long.BYTES).writeLong(0);
        private final List<MemoryColumn> all = List.of(this);

        MemoryColumn(@Nullable Codec<?> codec) {
            this.codec = codec;
        }

        @SuppressWarnings("unchecked")
        <T> @Nullable T decode(long n, Class<T> type) {
            buffer.setLong(0, n);
            return ((Codec<T>) Objects.requireNonNull(codec)).decode(buffer, INT8, Format.FORMAT_BINARY, type);
        }

        @Override
        public ColumnMetadata getColumnMetadata(int index) {
            return this;
        }

        @Override
        public ColumnMetadata getColumnMetadata(String name) {
            return this;
        }

        @Override
        public List<? extends ColumnMetadata> getColumnMetadatas() {
            return all;
        }

        @Override
        public Type getType() {
            return this;
        }

        @Override
        public String getName() {
            return "n";
        }

        @Override
        public Object getNativeTypeMetadata() {
            return INT8;
        }

        @Override
        public Class<?> getJavaType() {
            return Long.class;
        }
    }
}
