package io.reactiverouter.order;

import java.nio.charset.StandardCharsets;

/** Reads the ASCII text of one value from left to right. All methods throw for what they do not expect. */
final class TextReader {

    private static final int MAX_MICRO_DIGITS = 6;

    private final KeyKind kind;
    private final byte[] text;
    private int index;

    TextReader(KeyKind kind, byte[] text) {
        this.kind = kind;
        this.text = text;
    }

    boolean isAtEnd() {
        return index == text.length;
    }

    boolean isNext(char expected) {
        return index < text.length && text[index] == expected;
    }

    /** Steps over one character if it comes next. */
    boolean skip(char expected) {
        boolean found = isNext(expected);
        if (found) {
            index++;
        }
        return found;
    }

    void expect(char expected) {
        if (!skip(expected)) {
            throw unreadable();
        }
    }

    void expectEnd() {
        if (!isAtEnd()) {
            throw unreadable();
        }
    }

    /** Reads a number of {@code min} to {@code max} digits, which must be at most 18. */
    long number(int min, int max) {
        int start = index;
        long value = 0;
        while (index < text.length && text[index] >= '0' && text[index] <= '9') {
            if (index - start == max) {
                throw unreadable();
            }
            value = value * 10 + (text[index++] - '0');
        }
        if (index - start < min) {
            throw unreadable();
        }
        return value;
    }

    /** Reads a word of small letters. */
    String word() {
        int start = index;
        while (index < text.length && text[index] >= 'a' && text[index] <= 'z') {
            index++;
        }
        return new String(text, start, index - start, StandardCharsets.US_ASCII);
    }

    /** Reads minutes and seconds, which follow hours, and returns them in microseconds. */
    long minutesAndSeconds() {
        expect(':');
        long seconds = sexagesimal() * 60;
        expect(':');
        // A leap second does not reach the server's types.
        seconds += sexagesimal();
        return seconds * Calendar.MICROS_OF_SECOND + (skip('.') ? fraction() : 0);
    }

    private long sexagesimal() {
        long value = number(2, 2);
        if (value > 59) {
            throw unreadable();
        }
        return value;
    }

    private long fraction() {
        int start = index;
        long value = number(1, MAX_MICRO_DIGITS);
        for (int digits = index - start; digits < MAX_MICRO_DIGITS; digits++) {
            value *= 10;
        }
        return value;
    }

    SortOrderException unreadable() {
        return SortOrderException.unreadable(kind);
    }
}
