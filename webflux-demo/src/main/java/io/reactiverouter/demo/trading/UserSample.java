package io.reactiverouter.demo.trading;

import io.r2dbc.spi.Readable;
import io.reactiverouter.Query;
import io.reactiverouter.strategy.ShardKey;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;

/**
 * Some of all users: those with the lowest hashes. The servers compute them with a seed of its own, so that no strategy
 * favours these users, and a shard is represented by as many as it has, whichever answers first.
 */
final class UserSample {

    private static final long SEED = 20_261_121;

    private final int limit;
    private final Queue<Candidate> lowest =
            new PriorityQueue<>(Comparator.comparingLong(Candidate::hash).reversed());

    UserSample(int limit) {
        this.limit = limit;
    }

    /** A user who belongs to the sample if not too many have lower hashes. */
    record Candidate(long userId, long hash) {

        static Candidate from(Readable row) {
            return new Candidate(OrderView.required(row, 0, Long.class), OrderView.required(row, 1, Long.class));
        }
    }

    /** Returns the query for a shard's candidates. */
    static Query candidates(int limit) {
        return Query.of(
                "select user_id, hashint8extended(user_id, $1) from users order by 2 limit $2", SEED, (long) limit);
    }

    /** Adds a candidate, perhaps in place of another. */
    void add(Candidate candidate) {
        lowest.add(candidate);
        if (lowest.size() > limit) {
            lowest.remove();
        }
    }

    List<ShardKey> keys() {
        return lowest.stream().map(user -> ShardKey.of(user.userId())).toList();
    }
}
