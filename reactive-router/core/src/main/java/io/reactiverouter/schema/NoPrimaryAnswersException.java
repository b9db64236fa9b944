package io.reactiverouter.schema;

import java.util.List;

/** No node of a shard answers as primary. */
final class NoPrimaryAnswersException extends Exception {

    private static final long serialVersionUID = 1L;

    NoPrimaryAnswersException(List<String> problems, List<Throwable> causes) {
        super("no primary answers: " + String.join("; ", problems), causes.isEmpty() ? null : causes.get(0));
        causes.stream().skip(1).forEach(this::addSuppressed);
    }
}
