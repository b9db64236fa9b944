package io.reactiverouter.reliability;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What can happen to a shard. Each strikes, lasts for a while, and is mended when it returns. */
enum Fault {
    /** The primary crashes, and is started again. */
    KILL {
        @Override
        void strike(Strike on) {
            on.site().primary().kill();
            on.last();
            on.site().primary().start();
        }
    },

    /** The primary is stopped in order, and started again. */
    RESTART {
        @Override
        void strike(Strike on) {
            on.site().primary().stop();
            on.last();
            on.site().primary().start();
        }
    },

    /** The primary hangs. */
    PAUSE {
        @Override
        void strike(Strike on) {
            on.site().primary().pause();
            on.last();
            on.site().primary().resume();
        }
    },

    /** The primary crashes, the replica is promoted, and the old primary comes back and takes itself for one. */
    PROMOTE_AFTER_KILL {
        @Override
        void strike(Strike on) {
            on.site().primary().kill();
            on.promote();
            on.site().replica().start();
            on.rejoin();
        }
    },

    /** The primary hangs, the replica is promoted, and the old primary goes on where it was. */
    PROMOTE_AFTER_PAUSE {
        @Override
        void strike(Strike on) {
            on.site().primary().pause();
            on.promote();
            on.site().replica().resume();
            on.rejoin();
        }
    },

    /** Clients are cut off from the primary, which goes on; the replica is promoted, and the cut ends. */
    PROMOTE_AFTER_CUT {
        @Override
        void strike(Strike on) {
            on.site().primary().network().cut();
            on.promote();
            on.site().replica().network().heal();
            on.rejoin();
        }
    },

    /** The replica is promoted while the primary serves: two primaries. */
    PROMOTE_BESIDE {
        @Override
        void strike(Strike on) {
            on.promote();
            on.rejoin();
        }
    },

    /** Nothing passes, and nobody is told. */
    CUT {
        @Override
        void strike(Strike on) {
            on.site().primary().network().cut();
            on.last();
            on.site().primary().network().heal();
        }
    },

    /** Statements arrive, and no answers. */
    HALF_OPEN {
        @Override
        void strike(Strike on) {
            on.site().primary().network().halfOpen();
            on.last();
            on.site().primary().network().heal();
        }
    },

    /** Statements arrive and no answers, until the connections are reset: whoever repeats what got no answer does it twice. */
    HALF_OPEN_RESET {
        @Override
        void strike(Strike on) {
            on.site().primary().network().halfOpen();
            on.last();
            on.site().primary().network().reset();
            on.site().primary().network().heal();
        }
    },

    /** Every byte is late. */
    SLOW {
        @Override
        void strike(Strike on) {
            on.site().primary().network().latency(Duration.ofMillis(5L + on.random(40)));
            on.site().primary().network().jitter(Duration.ofMillis(10));
            on.last();
            on.site().primary().network().heal();
        }
    },

    /** All connections are reset, again and again. */
    RESET {
        @Override
        void strike(Strike on) {
            for (int i = 0; i < 4; i++) {
                on.site().primary().network().reset();
                on.pause(on.time().dividedBy(3));
            }
        }
    },

    /** Every connection is reset after some kilobytes of answers. */
    RESET_IN_RESULT {
        @Override
        void strike(Strike on) {
            on.site().primary().network().resetAfter(2_000L + on.random(40_000));
            on.last();
            on.site().primary().network().heal();
        }
    },

    /** Slow statements take all connections of the pool, and all places in front of it. */
    FULL_POOL {
        @Override
        void strike(Strike on) {
            on.fillPool();
        }
    },

    /** The server refuses new connections, and those that are open end (SQLSTATE 53300, 57P01). */
    NO_CONNECTIONS {
        @Override
        void strike(Strike on) {
            on.site().asSuperuser("alter database app connection limit 0");
            long begin = System.nanoTime();
            long time = on.time().toNanos();
            while (System.nanoTime() - begin < time) {
                on.site()
                        .asSuperuser(
                                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '"
                                        + Run.APPLICATION + "%'");
                on.pause(Duration.ofMillis(TimeUnit.NANOSECONDS.toMillis(time) / 3));
            }
            on.site().asSuperuser("alter database app connection limit -1");
        }
    },

    /** The replica crashes, so that commits that wait for it hang, and is started again. */
    REPLICA_DOWN {
        @Override
        void strike(Strike on) {
            on.site().replica().kill();
            on.last();
            on.site().replica().start();
        }
    },

    /** Most calls, of all shards, are cancelled within milliseconds. */
    CANCEL_STORM {
        @Override
        void strike(Strike on) {
            on.workload().cancelling(0.8);
            on.last();
            on.workload().cancelling(Workload.USUAL_CANCELS);
        }

        @Override
        boolean hasShard() {
            return false;
        }
    };

    abstract void strike(Strike on);

    /** Says whether it is one shard that suffers. */
    boolean hasShard() {
        return true;
    }

    /** Says whether the replica becomes the primary, for which it must have all by then. */
    boolean promotes() {
        return switch (this) {
            case PROMOTE_AFTER_KILL, PROMOTE_AFTER_PAUSE, PROMOTE_AFTER_CUT, PROMOTE_BESIDE -> true;
            default -> false;
        };
    }
}
