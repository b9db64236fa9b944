package io.reactiverouter.strategy;

import io.reactiverouter.topology.Shard;
import io.reactiverouter.topology.ShardId;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * MD5 of the key's text, mod N, over N shards in the order in which the cluster names them; weights do not count. Every
 * language has what it takes to compute the same shard:
 *
 * <ol>
 *   <li>Take the key's text: an integer in decimal digits, with {@code -} before it if negative; a text as it is; a UUID in
 *       lower case with hyphens.
 *   <li>Encode it in UTF-8 and take the MD5 digest: 16 bytes.
 *   <li>Read the digest as an unsigned 128-bit number, first byte first. Its remainder by N is the index of the shard.
 * </ol>
 *
 * For the integer 42 the digest is {@code a1d0c6e83f027327d8461063f4ac58a6}, which is
 * 215089739385482443301854222253501995174 and leaves 1 when divided by 3: the second of three shards.
 *
 * <p>Changing N moves nearly every key. Takes integer, text and UUID keys. MD5 is used as a hash here, not for secrecy.
 */
public final class Md5 implements ShardingStrategy {

    private static final int DIGEST_BYTES = 16;

    private final List<ShardId> shards;
    private final ShardId[] byRemainder;

    private Md5(List<ShardId> shards) {
        this.shards = shards;
        this.byRemainder = shards.toArray(ShardId[]::new);
    }

    /**
     * Returns the strategy over these shards.
     *
     * @throws IllegalArgumentException if there is no shard or more than 4 096
     */
    public static Md5 over(List<Shard> shards) {
        return of(Shard.requireDistinct(shards).stream().map(Shard::id).toList());
    }

    /**
     * Returns the strategy over these shards.
     *
     * @throws IllegalArgumentException if there is no shard or more than 4 096, or one comes twice
     */
    public static Md5 of(List<ShardId> shards) {
        return new Md5(Owners.requireDistinct("md5", shards));
    }

    @Override
    public ShardId locate(ShardKey key) {
        byte[] digest = digest(text(key));
        long remainder = 0;
        for (byte octet : digest) {
            remainder = ((remainder << 8) | (octet & 0xff)) % byRemainder.length;
        }
        return byRemainder[(int) remainder];
    }

    private static String text(ShardKey key) {
        if (key instanceof ShardKey.OfText text) {
            return text.value();
        }
        if (key instanceof ShardKey.OfLong || key instanceof ShardKey.OfUuid) {
            return key.toString();
        }
        throw new UnroutableKeyException("md5 places integer, text and UUID keys only, was " + key);
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5, this one does not", e);
        }
    }

    @Override
    public List<ShardId> shards() {
        return shards;
    }

    @Override
    public SqlPredicate rowsOf(ShardId shard, KeyColumn column) {
        int remainder = Owners.indexOf(shards, shard);
        String sql = column.sql();
        return switch (column.type()) {
            case TEXT -> SqlPredicate.of(remainderIs(remainder, sql));
            case UUID -> SqlPredicate.of(remainderIs(remainder, uuidText(sql)));
            case INTEGER ->
                SqlPredicate.notInRowFilters(
                        remainderIs(remainder, sql + "::text"),
                        "md5 needs an integer key as text, and row filters of publications do not allow that cast;"
                                + " use hash slots, or a text or UUID key");
            case TIMESTAMP -> SqlPredicate.unavailable("md5 places no timestamps");
        };
    }

    /** Remainders add up: that of the digest is that of the sum of its bytes' remainders. */
    private String remainderIs(int remainder, String text) {
        BigInteger count = BigInteger.valueOf(shards.size());
        StringJoiner sum = new StringJoiner(" + ", "(", ") % " + count + " = " + remainder);
        for (int i = 0; i < DIGEST_BYTES; i++) {
            BigInteger factor = BigInteger.TWO.pow(8 * (DIGEST_BYTES - 1 - i)).mod(count);
            sum.add("get_byte(decode(md5(" + text + "), 'hex'), " + i + ") * " + factor);
        }
        return sum.toString();
    }

    /** The text of a UUID without a cast, which row filters would not allow. */
    private static String uuidText(String column) {
        String hex = "encode(uuid_send(" + column + "), 'hex')";
        return "substr(" + hex + ", 1, 8) || '-' || substr(" + hex + ", 9, 4) || '-' || substr(" + hex
                + ", 13, 4) || '-' || substr(" + hex + ", 17, 4) || '-' || substr(" + hex + ", 21)";
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Md5 md5 && md5.shards.equals(shards);
    }

    @Override
    public int hashCode() {
        return shards.hashCode();
    }

    @Override
    public String toString() {
        return "Md5" + shards;
    }
}
