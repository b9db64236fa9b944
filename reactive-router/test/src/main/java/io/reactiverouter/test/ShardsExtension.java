package io.reactiverouter.test;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives a JUnit test class embedded shards. The servers are started once for each JVM and shared by all classes that ask
 * for the same settings; each class has databases of its own on them, made before its first test and dropped after its
 * last one, so that no class sees another's rows.
 *
 * <pre>{@code
 * @RegisterExtension
 * static final ShardsExtension SHARDS = ShardsExtension.embedded(3).initSql("create table t (id bigint)");
 * }</pre>
 *
 * <p>The field must be static. Nested classes share the databases of the class around them. Classes may run at the same
 * time, each with an extension of its own. A parameter of type {@link Shards} is filled in too.
 *
 * <p>Making and dropping databases blocks. Immutable until the class begins.
 */
public final class ShardsExtension implements Shards, BeforeAllCallback, AfterAllCallback, ParameterResolver {

    private static final Namespace NAMESPACE = Namespace.create(ShardsExtension.class);
    private static final AtomicLong CLASSES = new AtomicLong();

    private final int count;
    private final ServerSpec spec;
    private volatile @Nullable List<ShardNode> nodes;
    private volatile @Nullable Class<?> owner;

    private ShardsExtension(int count, ServerSpec spec) {
        this.count = count;
        this.spec = spec;
    }

    /**
     * Returns an extension with this many shards and default settings.
     *
     * @throws IllegalArgumentException if the number is not 1 to 64
     */
    public static ShardsExtension embedded(int count) {
        return new ShardsExtension(ServerSpec.requireCount(count), ServerSpec.DEFAULTS);
    }

    /** Returns an extension whose servers have this PostgreSQL setting too. */
    public ShardsExtension setting(String name, String value) {
        return new ShardsExtension(count, spec.withSetting(name, value));
    }

    /** Returns an extension that runs this SQL in each new database too. */
    public ShardsExtension initSql(String sql) {
        return new ShardsExtension(count, spec.withInitSql(sql));
    }

    @Override
    public synchronized void beforeAll(ExtensionContext context) {
        if (nodes != null) {
            requireInsideOwner(context);
            return;
        }
        // Not in the root: build tools that spread classes over several JVMs run each as a test plan of its own.
        EmbeddedShards servers = context.getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
                .computeIfAbsent(spec.settings(), settings -> EmbeddedShards.empty(spec), EmbeddedShards.class);
        servers.grow(count);
        String database = "test_" + CLASSES.incrementAndGet();
        List<ShardNode> own = servers.nodes().subList(0, count).stream()
                .map(node -> node.withDatabase(database))
                .toList();
        nodes = own;
        owner = context.getRequiredTestClass();
        Parallel.forEach(own, node -> Databases.createOwned(node, spec.initSql()));
    }

    /** A nested class begins inside its owner; another class here would see the owner's rows. */
    private void requireInsideOwner(ExtensionContext context) {
        for (Optional<ExtensionContext> around = context.getParent();
                around.isPresent();
                around = around.get().getParent()) {
            if (around.get().getTestClass().filter(type -> type == owner).isPresent()) {
                return;
            }
        }
        throw new IllegalStateException(context.getRequiredTestClass().getName() + " and " + owner
                + " run at the same time with one ShardsExtension; give each a static field of its own");
    }

    /** Drops the databases of the class; the servers run on for the next one, until the JVM's tests end. */
    @Override
    public synchronized void afterAll(ExtensionContext context) {
        if (context.getRequiredTestClass() == owner) {
            close();
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Shards.class;
    }

    @Override
    public Shards resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return this;
    }

    /**
     * Returns the servers with the databases of this class.
     *
     * @throws IllegalStateException before the class begins
     */
    @Override
    public List<ShardNode> nodes() {
        List<ShardNode> own = nodes;
        if (own == null) {
            throw new IllegalStateException(
                    "shards are there from @BeforeAll on; is the @RegisterExtension field static?");
        }
        return own;
    }

    /** Drops the databases of this class. JUnit calls it. */
    @Override
    public synchronized void close() {
        List<ShardNode> own = nodes;
        nodes = null;
        owner = null;
        if (own != null) {
            Parallel.forEach(own, ShardsExtension::drop);
        }
    }

    private static void drop(ShardNode node) {
        try {
            Databases.drop(node);
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "database " + node.database() + " of shard " + node.name() + " could not be dropped: "
                            + e.getMessage(),
                    e);
        }
    }
}
