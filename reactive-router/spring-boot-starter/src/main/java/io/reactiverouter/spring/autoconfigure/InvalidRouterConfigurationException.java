package io.reactiverouter.spring.autoconfigure;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A property, or a bean, is not usable; the message holds no secret. */
final class InvalidRouterConfigurationException extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    private final String subject;
    private final String problem;
    private final String remedy;

    /**
     * Says what is wrong.
     *
     * @param subject the property, or the bean as in {@code bean 'trading'}
     * @param remedy what to do about it, as a sentence
     */
    InvalidRouterConfigurationException(String subject, String problem, String remedy, @Nullable Throwable cause) {
        super(subject + ": " + problem, cause);
        this.subject = subject;
        this.problem = problem;
        this.remedy = remedy;
    }

    InvalidRouterConfigurationException(String subject, String problem, String remedy) {
        this(subject, problem, remedy, null);
    }

    /** Returns what {@code reader} returns, and says which property it was if the value is refused. */
    static <T> T check(String property, String remedy, Supplier<T> reader) {
        try {
            return reader.get();
        } catch (IllegalArgumentException e) {
            throw new InvalidRouterConfigurationException(property, String.valueOf(e.getMessage()), remedy, e);
        }
    }

    String subject() {
        return subject;
    }

    String problem() {
        return problem;
    }

    String remedy() {
        return remedy;
    }
}
