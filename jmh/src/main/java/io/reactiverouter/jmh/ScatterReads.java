package io.reactiverouter.jmh;

import io.reactiverouter.jmh.OrderReader.Answer;
import io.reactiverouter.test.EmbeddedShards;
import java.sql.SQLException;

/**
 * What do queries over all shards cost? A million rows on two shards, one caller, who maps each row to a record: a count, the
 * hundred orders with the greatest ids, a group by with a thousand groups, and all orders by id; by Reactive Router, by
 * r2dbc-pool and Reactor by hand ({@link HandReader}), and by ShardingSphere-JDBC ({@link ShardingSphereReader}). Every answer
 * of every batch is compared: the run fails if one differs. For a scan an operation is a row, otherwise it is a query.
 *
 * <pre>{@code
 * mvn -q -DskipTests package
 * java -cp jmh/target/benchmarks.jar io.reactiverouter.jmh.ScatterReads --rounds 20 --warmup 5
 * }</pre>
 */
public final class ScatterReads {

    private static final int ROWS = 1_000_000;
    private static final String ROUTER = "reactive-router";
    private static final String BY_HAND = "by hand";
    private static final String SHARDING_SPHERE = "sharding-sphere";

    private ScatterReads() {}

    /** Something to ask. */
    enum Question {
        COUNT("scatter-count", "How many orders are there?", 10) {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.count();
            }
        },

        LATEST("scatter-limit", "Which are the " + OrderReader.LATEST + " latest orders?", 200) {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.latest();
            }
        },

        TOTALS("scatter-group-by", "What are the totals of each customer?", 4) {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.totals();
            }
        },

        SCAN("scatter-scan", "All orders by id; an operation is a row", 1) {
            @Override
            Answer ask(OrderReader reader) throws SQLException {
                return reader.scan();
            }

            @Override
            long operations(Answer answer) {
                return answer.rows();
            }
        };

        private final String key;
        private final String text;
        private final int asked;

        Question(String key, String text, int asked) {
            this.key = key;
            this.text = text;
            this.asked = asked;
        }

        abstract Answer ask(OrderReader reader) throws SQLException;

        long operations(Answer answer) {
            return 1;
        }

        Comparison.Batch batch(OrderReader reader, Answer expected) {
            return () -> {
                long operations = 0;
                for (int i = 0; i < asked; i++) {
                    Answer answer = ask(reader);
                    if (!answer.equals(expected)) {
                        throw new IllegalStateException(
                                this + ": " + reader + " gave " + answer + " and not " + expected);
                    }
                    operations += operations(answer);
                }
                return operations;
            };
        }
    }

    /** Measures and prints; takes the options of {@link Comparison}. */
    public static void main(String... arguments) throws Exception {
        try (EmbeddedShards shards = OrderShards.start(ROWS)) {
            OrderShards.compare(shards, ROWS);
            try (OrderReader router = open(Library.REACTIVE_ROUTER, shards);
                    OrderReader again = open(Library.REACTIVE_ROUTER, shards);
                    OrderReader byHand = open(Library.BY_HAND, shards);
                    OrderReader shardingSphere = open(Library.SHARDING_SPHERE, shards)) {
                for (Question question : Question.values()) {
                    Answer expected = question.ask(byHand);
                    Comparison.of(question.key, question.text)
                            .side(ROUTER, question.batch(router, expected))
                            .side(ROUTER, question.batch(again, expected))
                            .side(BY_HAND, question.batch(byHand, expected))
                            .side(SHARDING_SPHERE, question.batch(shardingSphere, expected))
                            .ratio(ROUTER, BY_HAND)
                            .ratio(ROUTER, SHARDING_SPHERE)
                            .ratio(BY_HAND, SHARDING_SPHERE)
                            .run(arguments);
                }
            }
        }
    }

    private static OrderReader open(Library library, EmbeddedShards shards) throws SQLException {
        return library.open(library.urls(shards));
    }
}
