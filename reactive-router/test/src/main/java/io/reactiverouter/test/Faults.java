package io.reactiverouter.test;

/**
 * What happens to bytes in a {@link Network}.
 *
 * @param latencyNanos how long each way takes
 * @param jitterNanos how much longer it may take, at random
 * @param bytesPerSecond of a connection in each direction; 0 is no limit
 * @param requestsHeld whether what clients send stays on its way
 * @param answersHeld whether what the server sends stays on its way
 * @param answerBytes after how many bytes from the server a connection is reset; negative is never
 */
record Faults(
        long latencyNanos,
        long jitterNanos,
        long bytesPerSecond,
        boolean requestsHeld,
        boolean answersHeld,
        long answerBytes) {

    static final Faults NONE = new Faults(0, 0, 0, false, false, -1);

    Faults withLatency(long nanos) {
        return new Faults(nanos, jitterNanos, bytesPerSecond, requestsHeld, answersHeld, answerBytes);
    }

    Faults withJitter(long nanos) {
        return new Faults(latencyNanos, nanos, bytesPerSecond, requestsHeld, answersHeld, answerBytes);
    }

    Faults withBandwidth(long bytes) {
        return new Faults(latencyNanos, jitterNanos, bytes, requestsHeld, answersHeld, answerBytes);
    }

    Faults withHeld(boolean requests, boolean answers) {
        return new Faults(latencyNanos, jitterNanos, bytesPerSecond, requests, answers, answerBytes);
    }

    Faults withResetAfter(long bytes) {
        return new Faults(latencyNanos, jitterNanos, bytesPerSecond, requestsHeld, answersHeld, bytes);
    }
}
