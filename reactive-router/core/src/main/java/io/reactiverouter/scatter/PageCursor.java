package io.reactiverouter.scatter;

import io.reactiverouter.order.SortKey;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads cursors: the place after the last row of a page. A cursor is signed with HMAC-SHA256 (RFC 2104), and
 * good for one query and order only. It can be read by whoever has it: it holds the last row's values of the sort keys.
 */
public final class PageCursor {

    /** The shortest key, in bytes. */
    public static final int MIN_KEY_LENGTH = 32;

    private static final byte VERSION = 1;
    private static final String ALGORITHM = "HmacSHA256";
    private static final int SIGNATURE_LENGTH = 32;
    private static final int FINGERPRINT_LENGTH = 16;
    private static final int MAX_LENGTH = 16_384;

    private final SecretKeySpec key;

    /**
     * Signs with this key.
     *
     * @throws IllegalArgumentException if it is shorter than {@value #MIN_KEY_LENGTH} bytes
     */
    public PageCursor(byte[] key) {
        if (key.length < MIN_KEY_LENGTH) {
            throw new IllegalArgumentException("the key of page cursors must have at least " + MIN_KEY_LENGTH
                    + " bytes, has " + key.length + "; use random ones, the same in every instance");
        }
        this.key = new SecretKeySpec(key, ALGORITHM);
    }

    String write(String sql, List<SortKey> order, @Nullable String[] place) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(VERSION);
            out.write(fingerprint(sql, order));
            for (String value : place) {
                byte[] text = value == null ? null : value.getBytes(StandardCharsets.UTF_8);
                out.writeInt(text == null ? -1 : text.length);
                if (text != null) {
                    out.write(text);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] content = bytes.toByteArray();
        byte[] signed = ByteBuffer.allocate(content.length + SIGNATURE_LENGTH)
                .put(content)
                .put(signature(content))
                .array();
        String cursor = Base64.getUrlEncoder().withoutPadding().encodeToString(signed);
        if (cursor.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("the sort keys " + order + " of a row are too long for a page cursor of "
                    + MAX_LENGTH + " characters; order by shorter columns");
        }
        return cursor;
    }

    /**
     * Returns the place of a cursor.
     *
     * @throws InvalidCursorException if it was not written for this query and order with this key
     */
    @Nullable String[] read(String sql, List<SortKey> order, String cursor) {
        byte[] content = content(cursor);
        if (content[0] != VERSION) {
            throw new InvalidCursorException("is of version " + content[0] + ", this library reads " + VERSION);
        }
        int start = 1 + FINGERPRINT_LENGTH;
        if (!MessageDigest.isEqual(Arrays.copyOfRange(content, 1, start), fingerprint(sql, order))) {
            throw new InvalidCursorException("belongs to another query or order");
        }
        @Nullable String[] place = new String[order.size()];
        try (DataInputStream in =
                new DataInputStream(new ByteArrayInputStream(content, start, content.length - start))) {
            for (int i = 0; i < place.length; i++) {
                int length = in.readInt();
                place[i] = length < 0 ? null : new String(in.readNBytes(length), StandardCharsets.UTF_8);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return place;
    }

    private byte[] content(String cursor) {
        if (cursor.length() > MAX_LENGTH) {
            throw new InvalidCursorException("is longer than " + MAX_LENGTH + " characters");
        }
        byte[] signed;
        try {
            signed = Base64.getUrlDecoder().decode(cursor);
        } catch (IllegalArgumentException e) {
            throw new InvalidCursorException("is not one that this library has written");
        }
        int length = signed.length - SIGNATURE_LENGTH;
        if (length <= FINGERPRINT_LENGTH) {
            throw new InvalidCursorException("is incomplete");
        }
        byte[] content = Arrays.copyOf(signed, length);
        if (!MessageDigest.isEqual(Arrays.copyOfRange(signed, length, signed.length), signature(content))) {
            throw new InvalidCursorException("was changed, or signed with another key; instances of an application need"
                    + " the same key for cursors, and without one each start makes its own");
        }
        return content;
    }

    private static byte[] fingerprint(String sql, List<SortKey> order) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(sql.getBytes(StandardCharsets.UTF_8));
            for (SortKey sorted : order) {
                digest.update((byte) 0);
                digest.update(sorted.toString().getBytes(StandardCharsets.UTF_8));
            }
            return Arrays.copyOf(digest.digest(), FINGERPRINT_LENGTH);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] signature(byte[] content) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            return mac.doFinal(content);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
