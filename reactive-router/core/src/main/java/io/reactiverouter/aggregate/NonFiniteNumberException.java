package io.reactiverouter.aggregate;

/** A result is NaN or infinite and was asked for as a type that has no such value. Ask for it as {@link Double}. */
public final class NonFiniteNumberException extends ArithmeticException {

    private static final long serialVersionUID = 1L;

    private final double value;

    NonFiniteNumberException(String column, double value, Class<?> asked) {
        super("column " + column + " is " + value + ", which is no " + asked.getSimpleName()
                + "; read it as Double, or as Number where it may be either");
        this.value = value;
    }

    /** Returns NaN or an infinity. */
    public double value() {
        return value;
    }
}
