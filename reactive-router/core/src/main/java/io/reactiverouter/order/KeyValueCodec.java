package io.reactiverouter.order;

import io.netty.buffer.ByteBuf;
import io.r2dbc.postgresql.client.EncodedParameter;
import io.r2dbc.postgresql.codec.Codec;
import io.r2dbc.postgresql.message.Format;
import org.jspecify.annotations.Nullable;

/**
 * Gives a {@link KeyValue} to whoever asks a row for one, straight from what the server has sent, and takes part in nothing
 * else: the driver's own codecs lose what they have no Java value for, such as {@code NaN} and {@code 24:00:00}.
 */
final class KeyValueCodec implements Codec<KeyValue> {

    /** Digits that surely fit into a long. */
    private static final int SAFE_DIGITS = 18;

    @Override
    public boolean canDecode(int dataType, Format format, Class<?> type) {
        return type == KeyValue.class;
    }

    @Override
    public boolean canEncode(Object value) {
        return false;
    }

    @Override
    public boolean canEncodeNull(Class<?> type) {
        return false;
    }

    @Override
    public @Nullable KeyValue decode(
            @Nullable ByteBuf buffer, int dataType, Format format, Class<? extends KeyValue> type) {
        if (buffer == null) {
            return null;
        }
        KeyKind builtIn = KeyKind.ofOid(dataType);
        KeyKind kind = builtIn == null ? KeyKind.ENUM : builtIn;
        if (format == Format.FORMAT_BINARY) {
            return BinaryForm.read(kind, dataType, buffer);
        }
        if (kind == KeyKind.INTEGER && buffer.readableBytes() <= SAFE_DIGITS) {
            return new KeyValue.Scalar(kind, integer(buffer));
        }
        byte[] text = BinaryForm.bytes(buffer);
        return dataType == KeyKind.REAL_OID ? TextForm.readReal(text) : TextForm.read(kind, text);
    }

    /** Without a copy of the text, for the most frequent type. */
    private static long integer(ByteBuf text) {
        int start = text.readerIndex();
        int end = text.writerIndex();
        boolean negative = start < end && text.getByte(start) == '-';
        int i = negative ? start + 1 : start;
        if (i == end) {
            throw SortOrderException.unreadable(KeyKind.INTEGER);
        }
        long value = 0;
        for (; i < end; i++) {
            int digit = text.getByte(i) - '0';
            if (digit < 0 || digit > 9) {
                throw SortOrderException.unreadable(KeyKind.INTEGER);
            }
            value = value * 10 + digit;
        }
        return negative ? -value : value;
    }

    @Override
    public EncodedParameter encode(Object value) {
        throw new UnsupportedOperationException("sort keys are no parameters; use SortPlan.encode");
    }

    @Override
    public EncodedParameter encode(Object value, int dataType) {
        return encode(value);
    }

    @Override
    public EncodedParameter encodeNull() {
        throw new UnsupportedOperationException("sort keys are no parameters; use SortPlan.encode");
    }
}
