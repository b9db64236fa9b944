package io.reactiverouter.demo.trading;

/** What has become of an order. */
enum OrderStatus {
    OPEN,
    FILLED
}
