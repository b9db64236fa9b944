package io.reactiverouter.jmh;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.SQLException;

/** Reads the orders of all shards through one library. */
interface OrderReader extends AutoCloseable {

    /** Rows that are read, or sent, at once. */
    int FETCH_SIZE = 1_024;

    /** Rows of {@link #latest()}. */
    int LATEST = 100;

    /** Reads all orders, by id. */
    Answer scan() throws SQLException;

    /** Reads the orders with the greatest ids, {@value #LATEST} of them, the greatest first. */
    Answer latest() throws SQLException;

    /** Counts all orders: one row. */
    Answer count() throws SQLException;

    /** Counts, adds and averages the orders of each customer, by customer. */
    Answer totals() throws SQLException;

    @Override
    void close() throws SQLException;

    /** One row of {@link #scan()} or {@link #latest()}. */
    record Order(long id, int customer, BigDecimal amount) {}

    /** The row of {@link #count()}. */
    record Count(long orders) {}

    /** One row of {@link #totals()}. The mean has four digits after the point, since ShardingSphere gives no more. */
    record Total(int customer, long orders, BigDecimal amount, BigDecimal mean) {

        public Total {
            mean = mean.setScale(4, RoundingMode.HALF_UP);
        }
    }

    /** What has been read: the same rows in the same order are equal answers. */
    record Answer(long rows, long checksum) {

        static final Answer NONE = new Answer(0, 0);

        Answer and(Record row) {
            return new Answer(rows + 1, checksum * 31 + row.hashCode());
        }
    }
}
