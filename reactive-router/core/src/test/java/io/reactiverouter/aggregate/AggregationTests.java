package io.reactiverouter.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.reactiverouter.order.SortKey;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class AggregationTests {

    @Test
    void columnsComeInTheOrderGiven() {
        Aggregation aggregation =
                Aggregation.groupBy("region", "status").count("orders").sum("amount", "total");

        assertThat(aggregation.names()).containsExactly("region", "status", "orders", "total");
        assertThat(aggregation)
                .hasToString("Aggregation[count(*) as orders, sum(amount) as total] by [region, status]");
    }

    @Test
    void eachCallLeavesTheFormerAlone() {
        Aggregation first = Aggregation.ofAll().count("n");
        first.sum("a", "s").limit(1);

        assertThat(first.names()).containsExactly("n");
        assertThat(first.limits().rows()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void wrongSpecificationsSayWhatIsWrong() {
        Aggregation byRegion = Aggregation.groupBy("region").count("n");

        refused(() -> Aggregation.groupBy(), "use Aggregation.ofAll");
        refused(() -> Aggregation.groupBy("a", "a"), "result column a is there twice");
        refused(() -> Aggregation.groupBy("a", "A"), "differ only in case");
        refused(() -> byRegion.sum("amount", "n"), "result column n is there twice");
        refused(() -> byRegion.sum("amount", "region"), "result column region is there twice");
        refused(() -> byRegion.sum("", "x"), "must not be empty");
        refused(() -> byRegion.sum("amount", "é".repeat(32)), "at most 63 bytes");
        refused(() -> byRegion.orderBy(SortKey.asc("amount")), "none of [region, n]");
        refused(() -> byRegion.orderBy(SortKey.asc("n"), SortKey.desc("n")), "twice");
        refused(() -> byRegion.orderBy(SortKey.asc("n").collateC()), "no collation");
        refused(() -> byRegion.limit(0), "limit must be at least 1, was 0");
        refused(() -> byRegion.maxGroups(-1), "maxGroups must be at least 1, was -1");
        refused(() -> byRegion.maxDistinct(0), "maxDistinct must be at least 1, was 0");
    }

    @Test
    void identifiersAreQuotedAndTheQueryMayEndAsItLikes() {
        assertThat(Sql.identifier("a\"; drop table t; --")).isEqualTo("\"a\"\"; drop table t; --\"");
        assertThat(Sql.table("select 1 ; \n;", "q")).isEqualTo("(select 1\n) q");
        assertThat(Sql.table("select 1 -- one", "q")).isEqualTo("(select 1 -- one\n) q");
    }

    @Test
    void rowGivesNumbersAsWhatHoldsThem() {
        AggregateRow row = new AggregateRow(
                List.of("count", "total", "nan", "none", "text"),
                new Object[] {3L, new BigDecimal("1.50"), Double.NaN, null, "x"});

        assertThat(row.get("count", Long.class)).isEqualTo(3L);
        assertThat(row.get("count", BigDecimal.class)).isEqualTo(new BigDecimal(3));
        assertThat(row.get("total", Double.class)).isEqualTo(1.5);
        assertThat(row.get("total", Number.class)).isEqualTo(new BigDecimal("1.50"));
        assertThat(row.get("nan", Double.class)).isNaN();
        assertThat(row.get("none", Long.class)).isNull();
        assertThatExceptionOfType(NonFiniteNumberException.class)
                .isThrownBy(() -> row.get("nan", BigDecimal.class))
                .withMessageContaining("column nan is NaN");
        assertThatExceptionOfType(NoSuchElementException.class)
                .isThrownBy(() -> row.get("other"))
                .withMessageContaining("[count, total, nan, none, text]");
        refused(() -> row.get("text", Long.class), "java.lang.String");
        refused(() -> row.get("total", Long.class), "java.math.BigDecimal");
    }

    @Test
    void tooManyDistinctColumnsAreRefused() {
        Aggregation[] all = {Aggregation.ofAll()};
        String[] columns = new String[Aggregation.MAX_DISTINCT_COLUMNS];
        Arrays.setAll(columns, i -> "c" + i);
        for (String column : columns) {
            all[0] = all[0].countDistinct(column, "n_" + column);
        }

        refused(() -> all[0].countDistinct("more", "n"), "at most 16 columns");
        assertThat(all[0].countDistinct("c0", "again").distinctColumns()).hasSize(16);
    }

    private static void refused(Runnable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining(message);
    }
}
