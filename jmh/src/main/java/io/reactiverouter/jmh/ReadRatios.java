package io.reactiverouter.jmh;

/**
 * What part of the throughput by hand is left with routing, and of that with meters? Reads by primary key, 64 in flight, pools
 * of 16 connections to each of two shards, one round trip each.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.ReadRatios --rounds 200
 * }</pre>
 */
public final class ReadRatios {

    private static final int READS = 4_096;
    private static final int IN_FLIGHT = 64;

    private ReadRatios() {}

    /** Measures and prints; takes the options of {@link Comparison}. */
    public static void main(String... arguments) throws Exception {
        try (Accounts accounts = Accounts.start();
                AsyncClient byHand = R2dbcClient.byHand(accounts);
                AsyncClient routed = new RouterClient(accounts);
                AsyncClient routedAgain = new RouterClient(accounts);
                AsyncClient metered = RouterClient.metered(accounts)) {
            Comparison.of("routed-read", "What part of the throughput by hand is left with routing, and with meters?")
                    .postgresql(accounts.postgresql())
                    .side("by hand", reads(byHand))
                    .side("routed", reads(routed))
                    .side("routed", reads(routedAgain))
                    .side("metered", reads(metered))
                    .ratio("routed", "by hand")
                    .ratio("metered", "by hand")
                    .ratio("metered", "routed")
                    .run(arguments);
        }
    }

    private static Comparison.Batch reads(AsyncClient client) {
        Batches batches = new Batches(new AsyncPeer(client, IN_FLIGHT), Operation.READ, READS);
        return () -> {
            batches.closedLoop();
            return READS;
        };
    }
}
