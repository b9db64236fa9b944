package io.reactiverouter.aggregate;

import io.r2dbc.spi.R2dbcNonTransientException;

/** An aggregation would have held more in memory than its limit allows. Raise the limit, or ask for less. */
public final class AggregateLimitException extends R2dbcNonTransientException {

    private static final long serialVersionUID = 1L;

    private final String limitName;
    private final long limit;

    AggregateLimitException(String limitName, long limit, String situation, String remedy) {
        super(situation + ", and " + limitName + " is " + limit + "; " + remedy + ", or raise Aggregation."
                + limitName);
        this.limitName = limitName;
        this.limit = limit;
    }

    /** Returns the limit that was reached: {@code maxGroups} or {@code maxDistinct}. */
    public String limitName() {
        return limitName;
    }

    public long limit() {
        return limit;
    }
}
