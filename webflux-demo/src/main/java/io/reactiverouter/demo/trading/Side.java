package io.reactiverouter.demo.trading;

/** Whether an order buys or sells. */
enum Side {
    BUY,
    SELL;

    /** Returns the quantity as a position sees it. */
    long signed(long quantity) {
        return this == BUY ? quantity : -quantity;
    }
}
