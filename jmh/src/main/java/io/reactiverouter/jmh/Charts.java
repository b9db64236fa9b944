package io.reactiverouter.jmh;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;

/**
 * Draws a comparison as SVG: the median throughput of its sides or, if they have latencies and nothing but a control is set
 * against anything, as in an open loop, those.
 */
final class Charts {

    private static final int WIDTH = 800;
    private static final int HEIGHT = 420;
    private static final int LABEL_DEGREES = 30;
    private static final Color[] COLORS = {new Color(0x33, 0x67, 0x91), new Color(0xe0, 0x8e, 0x2b)};

    private Charts() {}

    static void write(ComparisonResult comparison, Path file) throws IOException {
        boolean latency = comparison.ratios().stream().allMatch(ComparisonResult.Ratio::control)
                && comparison.sides().stream().allMatch(side -> side.latency() != null);
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(comparison.name())
                .yAxisTitle(latency ? "milliseconds" : "operations each second, median")
                .build();
        chart.getStyler().setSeriesColors(COLORS);
        chart.getStyler().setChartBackgroundColor(Color.WHITE);
        chart.getStyler().setPlotBorderVisible(false);
        chart.getStyler().setXAxisLabelRotation(LABEL_DEGREES);
        chart.getStyler().setLegendVisible(latency);
        chart.getStyler().setYAxisDecimalPattern(latency ? "0.##" : "#,##0");
        if (latency) {
            series(chart, comparison, "p50", side -> latency(side).p50Millis());
            series(chart, comparison, "p99", side -> latency(side).p99Millis());
        } else {
            series(chart, comparison, "throughput", side -> side.throughput().median());
        }
        VectorGraphicsEncoder.saveVectorGraphic(chart, file.toString(), VectorGraphicsFormat.SVG);
    }

    private static Latencies.Percentiles latency(ComparisonResult.Side side) {
        return Objects.requireNonNull(side.latency());
    }

    private static void series(
            CategoryChart chart,
            ComparisonResult comparison,
            String name,
            ToDoubleFunction<ComparisonResult.Side> value) {
        List<ComparisonResult.Side> sides = comparison.sides();
        chart.addSeries(
                name,
                sides.stream().map(ComparisonResult.Side::name).toList(),
                sides.stream().map(value::applyAsDouble).toList());
    }
}
