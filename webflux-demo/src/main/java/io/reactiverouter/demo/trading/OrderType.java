package io.reactiverouter.demo.trading;

/** How an order trades. */
enum OrderType {
    /** At once and in full, at the price of the order. */
    MARKET,
    /** Rests in the book: it stays open. */
    LIMIT
}
