package io.reactiverouter.order;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;

/**
 * PostgreSQL's text form of values. What depends on settings of the session is read in every form that cannot be mistaken
 * for another, and refused otherwise: dates in ISO form, intervals in the server's own form, bytes in both forms.
 */
final class TextForm {

    /** Digits that surely fit into a long. */
    private static final int SAFE_DIGITS = 18;

    /** More than any number of PostgreSQL has: 131072 digits before the point and 16383 after it. */
    private static final int MAX_NUMBER_LENGTH = 150_000;

    private static final int UUID_LENGTH = 36;
    private static final String NEGATIVE_INFINITY = "-infinity";
    private static final String INFINITY = "infinity";

    private TextForm() {}

    /**
     * Reads a value.
     *
     * @throws SortOrderException if the text is not of this form
     */
    static KeyValue read(KeyKind kind, byte[] text) {
        try {
            return switch (kind) {
                case INTEGER, OID -> new KeyValue.Scalar(kind, readLong(kind, text));
                case NUMERIC -> readNumeric(text);
                case FLOATING -> new KeyValue.Floating(Double.parseDouble(ascii(text)));
                case BOOLEAN -> readBoolean(text);
                case TEXT, ENUM -> new KeyValue.Bytes(kind, text);
                case BLANK_PADDED -> new KeyValue.Bytes(kind, withoutBlanks(text));
                case UUID -> readUuid(text);
                case BYTES -> new KeyValue.Bytes(kind, readBytes(text));
                case DATE, TIMESTAMP, TIMESTAMPTZ -> readPointInTime(kind, text);
                case TIME -> readTime(text);
                case INTERVAL -> readInterval(text);
            };
        } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
            // Their messages hold the value.
            throw SortOrderException.unreadable(kind);
        }
    }

    /** A {@code real} is rounded to its own width first. */
    static KeyValue readReal(byte[] text) {
        try {
            return new KeyValue.Floating(Float.parseFloat(ascii(text)));
        } catch (NumberFormatException e) {
            throw SortOrderException.unreadable(KeyKind.FLOATING);
        }
    }

    /** Writes a value, not an enum's, so that the server reads it back as it was, whatever the settings of its session. */
    static String write(KeyValue value) {
        return switch (value.kind) {
            case INTEGER, OID -> Long.toString(((KeyValue.Scalar) value).value);
            case NUMERIC -> write((KeyValue.Decimal) value);
            case FLOATING -> Double.toString(((KeyValue.Floating) value).value);
            case BOOLEAN -> ((KeyValue.Scalar) value).value == 0 ? "f" : "t";
            case TEXT, BLANK_PADDED, ENUM -> new String(((KeyValue.Bytes) value).value, StandardCharsets.UTF_8);
            case UUID -> new UUID(((KeyValue.Uuid) value).high, ((KeyValue.Uuid) value).low).toString();
            case BYTES -> "\\x" + HexFormat.of().formatHex(((KeyValue.Bytes) value).value);
            case DATE, TIMESTAMP, TIMESTAMPTZ -> writePointInTime(value.kind, ((KeyValue.Scalar) value).value);
            case TIME -> {
                StringBuilder text = new StringBuilder();
                Calendar.appendTime(text, ((KeyValue.Scalar) value).value);
                yield text.toString();
            }
            case INTERVAL -> write((KeyValue.Interval) value);
        };
    }

    private static long readLong(KeyKind kind, byte[] text) {
        if (text.length > 20) {
            throw SortOrderException.unreadable(kind);
        }
        return Long.parseLong(ascii(text));
    }

    private static KeyValue readNumeric(byte[] text) {
        if (text.length > 0 && text.length <= SAFE_DIGITS) {
            boolean negative = text[0] == '-';
            long unscaled = 0;
            int point = -1;
            int i = negative ? 1 : 0;
            while (i < text.length && ((text[i] >= '0' && text[i] <= '9') || (text[i] == '.' && point < 0))) {
                if (text[i] == '.') {
                    point = i;
                } else {
                    unscaled = unscaled * 10 + (text[i] - '0');
                }
                i++;
            }
            if (i == text.length && text[i - 1] >= '0') {
                return new KeyValue.Decimal(
                        BigDecimal.valueOf(negative ? -unscaled : unscaled, point < 0 ? 0 : i - point - 1));
            }
        }
        return readLongNumeric(text);
    }

    private static KeyValue readLongNumeric(byte[] text) {
        return switch (ascii(text)) {
            case "NaN" -> KeyValue.Decimal.NAN;
            case "Infinity" -> KeyValue.Decimal.INFINITY;
            case "-Infinity" -> KeyValue.Decimal.NEGATIVE_INFINITY;
            default -> new KeyValue.Decimal(new BigDecimal(ascii(requirePlain(text))));
        };
    }

    /** Java reads exponents too, of which the server writes none: a short text could stand for a giant. */
    private static byte[] requirePlain(byte[] number) {
        if (number.length > MAX_NUMBER_LENGTH) {
            throw SortOrderException.unreadable(KeyKind.NUMERIC);
        }
        for (byte c : number) {
            if ((c < '0' || c > '9') && c != '.' && c != '-') {
                throw SortOrderException.unreadable(KeyKind.NUMERIC);
            }
        }
        return number;
    }

    private static KeyValue readBoolean(byte[] text) {
        if (text.length != 1 || (text[0] != 't' && text[0] != 'f')) {
            throw SortOrderException.unreadable(KeyKind.BOOLEAN);
        }
        return new KeyValue.Scalar(KeyKind.BOOLEAN, text[0] == 't' ? 1 : 0);
    }

    /** Blanks at the end do not count in comparisons of char(n). */
    static byte[] withoutBlanks(byte[] text) {
        int length = text.length;
        while (length > 0 && text[length - 1] == ' ') {
            length--;
        }
        return length == text.length ? text : Arrays.copyOf(text, length);
    }

    private static KeyValue readUuid(byte[] text) {
        if (text.length != UUID_LENGTH) {
            throw SortOrderException.unreadable(KeyKind.UUID);
        }
        long high = 0;
        long low = 0;
        for (int i = 0; i < UUID_LENGTH; i++) {
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                if (text[i] != '-') {
                    throw SortOrderException.unreadable(KeyKind.UUID);
                }
            } else if (i < 18) {
                high = high << 4 | HexFormat.fromHexDigit(text[i]);
            } else {
                low = low << 4 | HexFormat.fromHexDigit(text[i]);
            }
        }
        return new KeyValue.Uuid(high, low);
    }

    /** Both values of bytea_output: the form with escapes doubles a backslash, so it never begins with {@code \x}. */
    private static byte[] readBytes(byte[] text) {
        if (text.length >= 2 && text[0] == '\\' && text[1] == 'x') {
            byte[] bytes = new byte[text.length / 2 - 1];
            if (text.length % 2 != 0) {
                throw SortOrderException.unreadable(KeyKind.BYTES);
            }
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] =
                        (byte) (HexFormat.fromHexDigit(text[2 * i + 2]) << 4 | HexFormat.fromHexDigit(text[2 * i + 3]));
            }
            return bytes;
        }
        byte[] bytes = new byte[text.length];
        int length = 0;
        for (int i = 0; i < text.length; i++) {
            if (text[i] != '\\') {
                bytes[length++] = text[i];
            } else if (i + 1 < text.length && text[i + 1] == '\\') {
                bytes[length++] = '\\';
                i++;
            } else if (i + 3 < text.length) {
                bytes[length++] = (byte) (octal(text[i + 1]) << 6 | octal(text[i + 2]) << 3 | octal(text[i + 3]));
                i += 3;
            } else {
                throw SortOrderException.unreadable(KeyKind.BYTES);
            }
        }
        return Arrays.copyOf(bytes, length);
    }

    private static int octal(byte digit) {
        if (digit < '0' || digit > '7') {
            throw SortOrderException.unreadable(KeyKind.BYTES);
        }
        return digit - '0';
    }

    private static KeyValue readPointInTime(KeyKind kind, byte[] text) {
        if (text.length > 0 && (text[0] == 'i' || text[0] == '-')) {
            return new KeyValue.Scalar(
                    kind, isNegativeInfinity(kind, text) ? Calendar.NEGATIVE_INFINITY : Calendar.INFINITY);
        }
        TextReader reader = new TextReader(kind, text);
        // Other forms of dates begin with two digits or a letter.
        int year = (int) reader.number(4, 7);
        reader.expect('-');
        int month = (int) reader.number(2, 2);
        reader.expect('-');
        int dayOfMonth = (int) reader.number(2, 2);
        long time = 0;
        if (kind != KeyKind.DATE) {
            reader.expect(' ');
            time = timeOfDay(reader);
        }
        if (kind == KeyKind.TIMESTAMPTZ) {
            time -= offset(reader);
        }
        if (!reader.isAtEnd()) {
            reader.expect(' ');
            reader.expect('B');
            reader.expect('C');
            reader.expectEnd();
            year = 1 - year;
        }
        long day = Calendar.day(year, month, dayOfMonth);
        return new KeyValue.Scalar(
                kind,
                kind == KeyKind.DATE ? day : Math.addExact(Math.multiplyExact(day, Calendar.MICROS_OF_DAY), time));
    }

    private static boolean isNegativeInfinity(KeyKind kind, byte[] text) {
        String word = ascii(text);
        if (!word.equals(INFINITY) && !word.equals(NEGATIVE_INFINITY)) {
            throw SortOrderException.unreadable(kind);
        }
        return word.equals(NEGATIVE_INFINITY);
    }

    private static long timeOfDay(TextReader reader) {
        return reader.number(2, 2) * 3_600 * Calendar.MICROS_OF_SECOND + reader.minutesAndSeconds();
    }

    /** Some zones of the past were off by seconds. */
    private static long offset(TextReader reader) {
        boolean west = reader.skip('-');
        if (!west) {
            reader.expect('+');
        }
        long seconds = reader.number(2, 2) * 3_600;
        if (reader.skip(':')) {
            seconds += reader.number(2, 2) * 60;
            if (reader.skip(':')) {
                seconds += reader.number(2, 2);
            }
        }
        return (west ? -seconds : seconds) * Calendar.MICROS_OF_SECOND;
    }

    private static KeyValue readTime(byte[] text) {
        TextReader reader = new TextReader(KeyKind.TIME, text);
        long micros = timeOfDay(reader);
        reader.expectEnd();
        if (micros > Calendar.MICROS_OF_DAY) {
            throw reader.unreadable();
        }
        return new KeyValue.Scalar(KeyKind.TIME, micros);
    }

    /** As intervalstyle postgres writes it: {@code 1 year -2 mons +3 days -04:05:06.7}. */
    private static KeyValue readInterval(byte[] text) {
        if (text.length > 1 && (text[0] == 'i' || text[1] == 'i')) {
            return isNegativeInfinity(KeyKind.INTERVAL, text)
                    ? KeyValue.Interval.NEGATIVE_INFINITY
                    : KeyValue.Interval.INFINITY;
        }
        TextReader reader = new TextReader(KeyKind.INTERVAL, text);
        long months = 0;
        long days = 0;
        long micros = 0;
        do {
            boolean negative = reader.skip('-');
            if (!negative) {
                reader.skip('+');
            }
            long number = negative ? -reader.number(1, 10) : reader.number(1, 10);
            if (reader.isNext(':')) {
                long hours = Math.multiplyExact(number, 3_600 * Calendar.MICROS_OF_SECOND);
                long rest = reader.minutesAndSeconds();
                micros = Math.addExact(hours, negative ? -rest : rest);
                reader.expectEnd();
                break;
            }
            reader.expect(' ');
            switch (reader.word()) {
                case "year", "years" -> months += number * 12;
                case "mon", "mons" -> months += number;
                case "day", "days" -> days += number;
                default -> throw reader.unreadable();
            }
        } while (reader.skip(' '));
        reader.expectEnd();
        return new KeyValue.Interval(Math.toIntExact(months), Math.toIntExact(days), micros);
    }

    private static String write(KeyValue.Decimal value) {
        return switch (value.rank) {
            case -1 -> "-Infinity";
            case 1 -> "Infinity";
            case 2 -> "NaN";
            default -> value.value.toPlainString();
        };
    }

    private static String writePointInTime(KeyKind kind, long value) {
        if (value == Calendar.INFINITY) {
            return INFINITY;
        }
        if (value == Calendar.NEGATIVE_INFINITY) {
            return NEGATIVE_INFINITY;
        }
        StringBuilder text = new StringBuilder();
        if (kind == KeyKind.DATE) {
            Calendar.append(text, value, "");
        } else {
            StringBuilder time = new StringBuilder(" ");
            Calendar.appendTime(time, Math.floorMod(value, Calendar.MICROS_OF_DAY));
            if (kind == KeyKind.TIMESTAMPTZ) {
                time.append("+00");
            }
            Calendar.append(text, Math.floorDiv(value, Calendar.MICROS_OF_DAY), time.toString());
        }
        return text.toString();
    }

    /** Every number has a sign: without, intervalstyle sql_standard applies the first to all. */
    private static String write(KeyValue.Interval value) {
        if (value.isInfinity()) {
            return INFINITY;
        }
        if (value.isNegativeInfinity()) {
            return NEGATIVE_INFINITY;
        }
        StringBuilder text = new StringBuilder();
        text.append(value.months < 0 ? "" : "+").append(value.months).append(" mons ");
        text.append(value.days < 0 ? "" : "+").append(value.days).append(" days ");
        text.append(value.micros < 0 ? '-' : '+');
        // Hours apart: the smallest number of microseconds has no positive counterpart.
        long hour = 3_600 * Calendar.MICROS_OF_SECOND;
        StringBuilder rest = new StringBuilder();
        Calendar.appendTime(rest, Math.abs(value.micros % hour));
        return text.append(Math.abs(value.micros / hour))
                .append(rest, 2, rest.length())
                .toString();
    }

    private static String ascii(byte[] text) {
        return new String(text, StandardCharsets.ISO_8859_1);
    }
}
