package io.reactiverouter.order;

import java.time.LocalDate;

/** PostgreSQL's scale of time: days or microseconds from the beginning of 2000, both infinities at the ends of a long. */
final class Calendar {

    static final long MICROS_OF_SECOND = 1_000_000;
    static final long MICROS_OF_DAY = 86_400 * MICROS_OF_SECOND;

    static final long INFINITY = Long.MAX_VALUE;
    static final long NEGATIVE_INFINITY = Long.MIN_VALUE;

    private static final long EPOCH_DAY = LocalDate.of(2000, 1, 1).toEpochDay();

    private Calendar() {}

    /**
     * Returns the day of a date; the year before 1 is 0.
     *
     * @throws java.time.DateTimeException if there is no such date
     */
    static long day(int year, int month, int dayOfMonth) {
        return LocalDate.of(year, month, dayOfMonth).toEpochDay() - EPOCH_DAY;
    }

    static LocalDate date(long day) {
        return LocalDate.ofEpochDay(day + EPOCH_DAY);
    }

    /** Appends the date and, where there is one, the time, with the era at the end, in ISO form. */
    static void append(StringBuilder text, long day, String time) {
        LocalDate date = date(day);
        // ISO has a year 0, PostgreSQL's calendar has 1 BC.
        boolean bc = date.getYear() <= 0;
        appendPadded(text, bc ? 1 - date.getYear() : date.getYear(), 4);
        text.append('-');
        appendPadded(text, date.getMonthValue(), 2);
        text.append('-');
        appendPadded(text, date.getDayOfMonth(), 2);
        text.append(time);
        if (bc) {
            text.append(" BC");
        }
    }

    /** Appends hours, minutes, seconds and six digits after the point. */
    static void appendTime(StringBuilder text, long micros) {
        long seconds = micros / MICROS_OF_SECOND;
        appendPadded(text, seconds / 3_600, 2);
        text.append(':');
        appendPadded(text, seconds / 60 % 60, 2);
        text.append(':');
        appendPadded(text, seconds % 60, 2);
        text.append('.');
        appendPadded(text, micros % MICROS_OF_SECOND, 6);
    }

    private static void appendPadded(StringBuilder text, long number, int digits) {
        String plain = Long.toString(number);
        text.append("0".repeat(Math.max(0, digits - plain.length()))).append(plain);
    }
}
