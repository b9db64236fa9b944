package io.reactiverouter.order;

import io.netty.buffer.ByteBuf;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** PostgreSQL's binary form of values, which no setting of a session changes. Reads without moving the buffer's index. */
final class BinaryForm {

    private static final int NUMERIC_HEADER = 8;
    private static final int NUMERIC_POSITIVE = 0;
    private static final int NUMERIC_NEGATIVE = 0x4000;
    private static final int NUMERIC_NAN = 0xC000;
    private static final int NUMERIC_INFINITY = 0xD000;
    private static final int NUMERIC_NEGATIVE_INFINITY = 0xF000;

    /** A digit of a binary numeric stands for four decimal ones. */
    private static final int DIGIT_WIDTH = 4;

    private static final int DIGIT_BASE = 10_000;

    /** Binary digits that surely fit into a long. */
    private static final int SAFE_DIGITS = 4;

    private BinaryForm() {}

    /**
     * Reads a value of the type {@code oid}, which is of the kind {@code kind}.
     *
     * @throws SortOrderException if the value is not of this form
     */
    static KeyValue read(KeyKind kind, int oid, ByteBuf buffer) {
        int at = buffer.readerIndex();
        return switch (kind) {
            case INTEGER -> new KeyValue.Scalar(kind, integer(oid, buffer));
            case OID -> new KeyValue.Scalar(kind, sized(kind, buffer, 4).getUnsignedInt(at));
            case NUMERIC -> numeric(buffer);
            case FLOATING ->
                new KeyValue.Floating(
                        oid == KeyKind.REAL_OID
                                ? sized(kind, buffer, 4).getFloat(at)
                                : sized(kind, buffer, 8).getDouble(at));
            case BOOLEAN -> new KeyValue.Scalar(kind, sized(kind, buffer, 1).getByte(at) == 0 ? 0 : 1);
            case TEXT, BYTES, ENUM -> new KeyValue.Bytes(kind, bytes(buffer));
            case BLANK_PADDED -> new KeyValue.Bytes(kind, TextForm.withoutBlanks(bytes(buffer)));
            case UUID -> new KeyValue.Uuid(sized(kind, buffer, 16).getLong(at), buffer.getLong(at + 8));
            case DATE -> new KeyValue.Scalar(kind, day(sized(kind, buffer, 4).getInt(at)));
            case TIME, TIMESTAMP, TIMESTAMPTZ ->
                new KeyValue.Scalar(kind, sized(kind, buffer, 8).getLong(at));
            case INTERVAL ->
                new KeyValue.Interval(
                        sized(kind, buffer, 16).getInt(at + 12), buffer.getInt(at + 8), buffer.getLong(at));
        };
    }

    static byte[] bytes(ByteBuf buffer) {
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.getBytes(buffer.readerIndex(), bytes);
        return bytes;
    }

    private static ByteBuf sized(KeyKind kind, ByteBuf buffer, int length) {
        if (buffer.readableBytes() != length) {
            throw SortOrderException.unreadable(kind);
        }
        return buffer;
    }

    private static long integer(int oid, ByteBuf buffer) {
        int at = buffer.readerIndex();
        return switch (oid) {
            case KeyKind.SMALLINT_OID -> sized(KeyKind.INTEGER, buffer, 2).getShort(at);
            case KeyKind.INTEGER_OID -> sized(KeyKind.INTEGER, buffer, 4).getInt(at);
            default -> sized(KeyKind.INTEGER, buffer, 8).getLong(at);
        };
    }

    private static long day(int day) {
        return switch (day) {
            case Integer.MAX_VALUE -> Calendar.INFINITY;
            case Integer.MIN_VALUE -> Calendar.NEGATIVE_INFINITY;
            default -> day;
        };
    }

    /** Number of digits, place of the first one, sign, decimals shown; then the digits to the base of 10000. */
    private static KeyValue numeric(ByteBuf buffer) {
        int at = buffer.readerIndex();
        int count = buffer.readableBytes() < NUMERIC_HEADER ? -1 : buffer.getUnsignedShort(at);
        sized(KeyKind.NUMERIC, buffer, NUMERIC_HEADER + 2 * count);
        int weight = buffer.getShort(at + 2);
        int sign = buffer.getUnsignedShort(at + 4);
        int scale = buffer.getUnsignedShort(at + 6);
        return switch (sign) {
            case NUMERIC_POSITIVE, NUMERIC_NEGATIVE -> {
                BigInteger digits = digits(buffer, at + NUMERIC_HEADER, count);
                BigDecimal exact = new BigDecimal(
                        sign == NUMERIC_NEGATIVE ? digits.negate() : digits, (count - 1 - weight) * DIGIT_WIDTH);
                // Digits beyond the scale are zeros: nothing is rounded, or it throws.
                yield new KeyValue.Decimal(exact.setScale(scale, RoundingMode.UNNECESSARY));
            }
            case NUMERIC_NAN -> KeyValue.Decimal.NAN;
            case NUMERIC_INFINITY -> KeyValue.Decimal.INFINITY;
            case NUMERIC_NEGATIVE_INFINITY -> KeyValue.Decimal.NEGATIVE_INFINITY;
            default -> throw SortOrderException.unreadable(KeyKind.NUMERIC);
        };
    }

    private static BigInteger digits(ByteBuf buffer, int at, int count) {
        if (count <= SAFE_DIGITS) {
            long value = 0;
            for (int i = 0; i < count; i++) {
                value = value * DIGIT_BASE + buffer.getShort(at + 2 * i);
            }
            return BigInteger.valueOf(value);
        }
        // By way of decimal text, which Java turns into a number faster than digit by digit.
        StringBuilder text = new StringBuilder(count * DIGIT_WIDTH);
        for (int i = 0; i < count; i++) {
            // The leading one keeps the zeros of the digit.
            text.append(Integer.toString(DIGIT_BASE + buffer.getShort(at + 2 * i)), 1, 1 + DIGIT_WIDTH);
        }
        return new BigInteger(text.toString());
    }
}
