package io.reactiverouter.test;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

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
 * <p>The field must be static. Immutable until the class begins.
 */
public final class ShardsExtension implements Shards, BeforeAllCallback, AfterAllCallback {

    private static final Namespace NAMESPACE = Namespace.create(ShardsExtension.class);
    private static final AtomicLong CLASSES = new AtomicLong();

    private final int count;
    private final ServerSpec spec;
    private @Nullable List<ShardNode> nodes;
    private @Nullable Class<?> owner;

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
    public void beforeAll(ExtensionContext context) {
        if (nodes != null) {
            // A nested class shares the databases of the class around it.
            return;
        }
        EmbeddedShards servers = context.getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(spec.settings(), settings -> EmbeddedShards.empty(spec), EmbeddedShards.class);
        servers.grow(count);
        String database = "test_" + CLASSES.incrementAndGet();
        List<ShardNode> own = servers.nodes().subList(0, count).stream()
                .map(node -> node.withDatabase(database))
                .toList();
        EmbeddedShards.inParallel(own, node -> {
            EmbeddedShards.createDatabase(node, spec.initSql());
            return node;
        });
        nodes = own;
        owner = context.getRequiredTestClass();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (context.getRequiredTestClass() == owner) {
            close();
        }
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

    /** Drops the databases of this class; the servers run on until the JVM ends. JUnit calls it. */
    @Override
    public void close() {
        List<ShardNode> own = nodes;
        nodes = null;
        owner = null;
        if (own != null) {
            EmbeddedShards.inParallel(own, node -> {
                drop(node);
                return node;
            });
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
