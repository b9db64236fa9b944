package io.reactiverouter.jmh;

import io.reactiverouter.jmh.SingleShardPeers.Named;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares one operation on one account among all {@link SingleShardPeers}. Before anything is measured each peer runs the
 * same batch on the same tables, which must be the same afterwards; and the answers to the batch of one number must be the
 * same for all of them throughout.
 */
final class SingleShard {

    private final Accounts accounts;
    private final SingleShardPeers peers;
    private final Operation operation;
    private final SingleShardOptions options;
    private final Map<Integer, Long> checksums = new HashMap<>();

    private SingleShard(Accounts accounts, SingleShardPeers peers, Operation operation, SingleShardOptions options) {
        this.accounts = accounts;
        this.peers = peers;
        this.operation = operation;
        this.options = options;
    }

    /**
     * Starts servers and peers, and compares. Takes the options of {@link Comparison} and {@link SingleShardOptions}.
     *
     * @param operations of a batch, unless given as an option
     */
    static void compare(String name, String question, Operation operation, int operations, String... arguments)
            throws Exception {
        SingleShardOptions options = SingleShardOptions.parse(operations, arguments);
        try (Accounts accounts = Accounts.start();
                SingleShardPeers peers = SingleShardPeers.open(accounts, operation, options)) {
            SingleShard shard = new SingleShard(accounts, peers, operation, options);
            shard.requireSameWork();
            shard.comparison(name, question).run(arguments);
        }
    }

    private void requireSameWork() throws Exception {
        String expected = null;
        for (Named named : peers.all()) {
            accounts.reset();
            long checksum = new Batches(named.peer(), operation, options.operations()).closedLoop();
            String work = "answers " + checksum + ", tables " + accounts.contents();
            expected = same(named.name(), expected, work);
        }
        accounts.reset();
    }

    private static String same(String side, @Nullable String expected, String work) {
        if (expected != null && !expected.equals(work)) {
            throw new IllegalStateException(side + " gave " + work + ", others before it " + expected);
        }
        return work;
    }

    private Comparison comparison(String name, String question) throws Exception {
        Comparison comparison = Comparison.of(
                        options.openLoop() ? name + "-open-loop" : name,
                        question + " " + (options.openLoop() ? openLoop() : closedLoop()))
                .postgresql(accounts.postgresql());
        for (Named named : peers.all()) {
            Batches batches =
                    new Batches(named.peer(), operation, options.openLoop() ? options.rate() : options.operations());
            comparison.side(named.name(), new Checked(named.name(), batches), batches.latencies());
        }
        if (!options.openLoop()) {
            peers.all().stream()
                    .map(Named::name)
                    .distinct()
                    .filter(other -> !other.equals(SingleShardPeers.ROUTED))
                    .forEach(base -> comparison.ratio(SingleShardPeers.ROUTED, base));
        }
        return comparison;
    }

    private String closedLoop() {
        return "Closed loop: " + options.inFlight() + " in flight, or " + options.threads()
                + " platform threads; pools of " + Accounts.POOL + " connections a shard.";
    }

    private String openLoop() {
        return "Open loop: " + options.rate() + " each second; " + options.threads() + " platform threads; pools of "
                + Accounts.POOL + " connections a shard.";
    }

    private final class Checked implements Comparison.Batch {

        private final String side;
        private final Batches batches;
        private int number;

        Checked(String side, Batches batches) {
            this.side = side;
            this.batches = batches;
        }

        @Override
        public long run() throws InterruptedException {
            long checksum = options.openLoop() ? batches.openLoop(options.rate()) : batches.closedLoop();
            Long expected = checksums.putIfAbsent(number, checksum);
            if (expected != null && expected != checksum) {
                throw new IllegalStateException(
                        side + " gave other answers to batch " + number + ": " + checksum + ", not " + expected);
            }
            number++;
            return batches.operations();
        }
    }
}
