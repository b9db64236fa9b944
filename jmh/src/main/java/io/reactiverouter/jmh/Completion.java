package io.reactiverouter.jmh;

/** Is told once how an operation ended. */
interface Completion {

    void succeeded(long value);

    void failed(Throwable cause);
}
