package io.reactiverouter.jmh;

import java.util.Collection;
import org.openjdk.jmh.util.ListStatistics;

/** A median and the two quartiles about it. */
record Quartiles(double median, double lower, double upper) {

    static Quartiles of(Collection<Double> values) {
        ListStatistics statistics = new ListStatistics(
                values.stream().mapToDouble(Double::doubleValue).toArray());
        return new Quartiles(statistics.getPercentile(50), statistics.getPercentile(25), statistics.getPercentile(75));
    }
}
