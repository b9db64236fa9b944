package io.reactiverouter.connection;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Answers of the server to statements that were sent at once, as long as the owner of the connection has not read them. */
final class Unread {

    private final Set<Answer> answers = ConcurrentHashMap.newKeySet();
    private volatile boolean drained;

    /** Adds an answer; after {@link #drain()} it is read and dropped. */
    void add(Answer answer) {
        answers.add(answer);
        if (drained) {
            answer.drain();
        }
    }

    void remove(Answer answer) {
        answers.remove(answer);
    }

    /** Reads all answers, now and later, and drops them; what is asked next stands behind them. */
    void drain() {
        // Before the look at what is there: an answer that comes at this moment is seen here or there.
        drained = true;
        answers.forEach(Answer::drain);
    }

    /** An answer. */
    interface Answer {

        /** Reads what is left of it and drops that. */
        void drain();
    }
}
