package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_MIXTURE;
import static dev.resid.experiments.sensitivity.Baselines.ISOTROPIC;
import static dev.resid.experiments.sensitivity.Baselines.REAL_DIFFERENCE;
import static dev.resid.experiments.sensitivity.Baselines.REAL_MIXTURE;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The two published figures, and one of directions of the caller's own, for both read-outs, both
 * averages and both kinds of axis.
 */
final class SensitivityFigures {
  private static final Map<SweptDirection, Style> STYLES =
      Map.of(
          ISOTROPIC, Style.BLACK_DOTTED,
          COV_RANDOM_DIFFERENCE, Style.BLUE_SOLID,
          COV_RANDOM_MIXTURE, Style.BLUE_DASHED,
          REAL_DIFFERENCE, Style.VERMILION_SOLID,
          REAL_MIXTURE, Style.VERMILION_DASHED);

  private final SensitivityResult result;
  private final double meanDistance;
  private final String source;

  /**
   * Prepares the figures.
   *
   * @param result what is drawn
   * @param meanDistance of two real activations, marked in the figures
   * @param source model, data and run, for every figure
   */
  SensitivityFigures(SensitivityResult result, double meanDistance, String source) {
    this.result = result;
    this.meanDistance = meanDistance;
    this.source = source;
  }

  /** Returns the section of the report. */
  Figures section() {
    Map<String, String> metrics = new LinkedHashMap<>();
    metrics.put("kl", "KL");
    metrics.put("l2", "L2 at the last resid_post");
    Map<String, String> positions = new LinkedHashMap<>();
    positions.put("all", "all (published)");
    positions.put("without_first", "without position 0");
    Map<String, String> axes = new LinkedHashMap<>();
    axes.put("linear", "linear");
    axes.put("log", "logarithmic");
    List<Figure> figures = new ArrayList<>();
    for (Metric metric : Metric.values()) {
      for (Positions average : Positions.values()) {
        for (AxisKind kind : List.of(AxisKind.LINEAR, AxisKind.LOG)) {
          Map<String, String> chosen =
              Map.of("metric", key(metric), "positions", key(average), "axes", key(kind));
          for (int number = 1; number <= 3; number++) {
            String name = "fig" + number + "-" + key(metric) + "-" + key(average) + "-" + key(kind);
            List<Panel> panels =
                switch (number) {
                  case 1 -> first(metric, average);
                  case 2 -> second(metric, average);
                  default -> own(metric, average);
                };
            if (!panels.isEmpty()) {
              figures.add(
                  new Figure(
                      chosen,
                      name.replace('_', '-'),
                      chart(number, metric, average, kind, panels)));
            }
          }
        }
      }
    }
    return new Figures(
        "Figures",
        "Point at a curve, or move the focus to a panel and use the arrow keys, to read values."
            + " Legend entries hide and show curves.",
        List.of(
            new Choice("metric", "Read-out", metrics),
            new Choice("positions", "Average over positions", positions),
            new Choice("axes", "Axes", axes)),
        figures);
  }

  private static String key(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private Chart chart(
      int number, Metric metric, Positions average, AxisKind kind, List<Panel> panels) {
    String title =
        switch (number) {
          case 1 -> "Difference and mixture directions";
          case 2 -> "Cov-random and real directions, and isotropic ones";
          default -> "Directions of one's own, and isotropic ones";
        };
    String what =
        switch (metric) {
          case KL -> "Mean KL(original‖perturbed)";
          case L2 -> "Mean L2 distance at the last resid_post";
        };
    String where = result.where(average);
    String unit =
        switch (metric) {
          case KL -> "mean KL (nats)";
          case L2 -> "mean L2 distance (model units)";
        };
    return new Chart(
        title,
        what + ", " + where + "; bands: 95 % bootstrap intervals over " + result.rows() + " rows",
        source,
        new AxisSpec("perturbation length α (model units)", "α", kind),
        new AxisSpec(unit, unit, kind),
        panels);
  }

  private List<Panel> first(Metric metric, Positions average) {
    List<Panel> panels = new ArrayList<>();
    add(
        panels,
        "cov-random",
        List.of(
            series(COV_RANDOM_DIFFERENCE, "difference", metric, average),
            series(COV_RANDOM_MIXTURE, "mixture", metric, average)));
    add(
        panels,
        "real activations",
        List.of(
            series(REAL_DIFFERENCE, "difference", metric, average),
            series(REAL_MIXTURE, "mixture", metric, average)));
    return panels;
  }

  private List<Panel> second(Metric metric, Positions average) {
    List<Panel> panels = new ArrayList<>();
    add(
        panels,
        "differences",
        List.of(
            series(COV_RANDOM_DIFFERENCE, "cov-random", metric, average),
            series(REAL_DIFFERENCE, "real", metric, average)));
    add(
        panels,
        "mixtures and isotropic",
        List.of(
            series(COV_RANDOM_MIXTURE, "cov-random", metric, average),
            series(REAL_MIXTURE, "real", metric, average),
            series(ISOTROPIC, "isotropic", metric, average)));
    return panels;
  }

  private List<Panel> own(Metric metric, Positions average) {
    List<SweptDirection> mine =
        result.kinds().stream().filter(SweptDirection.Own.class::isInstance).toList();
    List<Panel> panels = new ArrayList<>();
    if (!mine.isEmpty()) {
      List<Optional<Series>> series = new ArrayList<>();
      for (SweptDirection one : mine) {
        series.add(series(one, Expectations.words(one), metric, average));
      }
      series.add(series(ISOTROPIC, "isotropic", metric, average));
      add(panels, "", series);
    }
    return panels;
  }

  private void add(List<Panel> panels, String title, List<Optional<Series>> series) {
    List<Series> measured = new ArrayList<>();
    for (Optional<Series> one : series) {
      one.ifPresent(measured::add);
    }
    if (!measured.isEmpty()) {
      Guide guide = new Guide(meanDistance, "mean distance of two real activations");
      double longest = result.lengths()[result.lengths().length - 1];
      // A far-away guide would squeeze the curves of a sweep over short lengths.
      panels.add(
          new Panel(
              title,
              measured,
              meanDistance <= 1.2 * longest ? Optional.of(guide) : Optional.empty()));
    }
  }

  private Optional<Series> series(
      SweptDirection kind, String label, Metric metric, Positions average) {
    if (!result.kinds().contains(kind)) {
      return Optional.empty();
    }
    List<Value> points = new ArrayList<>();
    for (int l = 0; l < result.lengths().length; l++) {
      Interval interval = result.interval(kind, l, metric, average);
      points.add(
          new Value(
              result.lengths()[l],
              result.mean(kind, l, metric, average),
              interval.low(),
              interval.high()));
    }
    return Optional.of(new Series(Expectations.words(kind), label, style(kind), points));
  }

  private Style style(SweptDirection direction) {
    return styleOf(direction)
        .orElseGet(
            () -> {
              List<SweptDirection> mine =
                  result.kinds().stream().filter(SweptDirection.Own.class::isInstance).toList();
              return Style.ramp(mine.indexOf(direction), mine.size());
            });
  }

  /** Returns the style of a direction that needs no SAE. */
  static Optional<Style> styleOf(SweptDirection direction) {
    return Optional.ofNullable(STYLES.get(direction));
  }
}
