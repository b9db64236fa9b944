package io.reactiverouter.connection;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * The moment at which all calls to the database inside of it have to be over, whatever they are doing then: waiting for a
 * connection or for a primary, running, being sent again, committing, or being read by a slow subscriber.
 *
 * <pre>{@code
 * Mono<Receipt> receipt = check(order)
 *         .then(shard.inTransaction(connection -> insert(connection, order)))
 *         .contextWrite(Deadline.within(Duration.ofSeconds(2)));
 * }</pre>
 *
 * <p>The time begins with the subscription, and is one budget for everything above {@code contextWrite}. A retry above it
 * gets what is left; one below it, which subscribes again, begins anew. Of two deadlines the earlier one counts. Calls
 * whose deadline comes end with {@link CallTimeoutException}, and those that begin after it fail at once and send nothing.
 *
 * <p>A call that gets a connection also tells the server the time that is left, as its {@code statement_timeout}, unless the
 * session's own is shorter: the server ends a statement by itself when nobody can tell it to any more. Immutable.
 */
public final class Deadline {

    /** Some 70 years: a moment further away could not be compared with others. */
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 4);

    private final Duration limit;
    private final long endNanos;

    private Deadline(Duration limit, long endNanos) {
        this.limit = limit;
        this.endNanos = endNanos;
    }

    /**
     * Returns what puts a deadline into the context of a subscriber, so long after the subscription; a context that has an
     * earlier one keeps that. Zero and less, as what is left of somebody else's time may be, is a deadline that is over.
     */
    public static Function<Context, Context> within(Duration limit) {
        Objects.requireNonNull(limit, "limit must not be null");
        return context -> after(limit).in(context);
    }

    /** Returns the deadline of a subscriber, null if it has none. */
    public static @Nullable Deadline of(ContextView context) {
        return context.getOrDefault(Deadline.class, null);
    }

    /** Returns the deadline of a subscriber, or of a call of this limit that begins now if that is earlier. */
    public static @Nullable Deadline of(ContextView context, @Nullable Duration limit) {
        return limit == null ? of(context) : of(after(limit).in(Context.of(context)));
    }

    private static Deadline after(Duration limit) {
        Duration bounded = limit.compareTo(LONGEST) > 0 ? LONGEST : limit.isNegative() ? Duration.ZERO : limit;
        return new Deadline(limit, System.nanoTime() + bounded.toNanos());
    }

    /** Returns a context with this deadline, or {@code context} if it has an earlier one. */
    public Context in(Context context) {
        Deadline other = of(context);
        return other != null && other.endNanos - endNanos <= 0 ? context : context.put(Deadline.class, this);
    }

    /** Returns the time that there was in the beginning. */
    public Duration limit() {
        return limit;
    }

    /** Returns the time left in nanoseconds, 0 or less if it is over. */
    public long remainingNanos() {
        return endNanos - System.nanoTime();
    }

    /** Says whether the time is over. */
    public boolean isOver() {
        return remainingNanos() <= 0;
    }

    @Override
    public String toString() {
        return "Deadline[" + limit + ", left " + Duration.ofNanos(remainingNanos()) + "]";
    }
}
