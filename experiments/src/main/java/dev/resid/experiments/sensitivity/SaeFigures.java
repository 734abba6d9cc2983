package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.sensitivity.Baselines.COV_RANDOM_MIXTURE;
import static dev.resid.experiments.sensitivity.Baselines.ISOTROPIC;
import static dev.resid.experiments.sensitivity.Baselines.REAL_MIXTURE;

import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.sensitivity.SaeGroup.Member;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The published figures of directions that SAEs give: a column a family, curves coloured by L0; and
 * one SAE of each family at about equal L0 beside the baselines.
 */
final class SaeFigures {
  private final SensitivityResult result;
  private final List<SaeGroup> groups;
  private final double meanDistance;
  private final String source;

  SaeFigures(SensitivityResult result, List<SaeGroup> groups, double meanDistance, String source) {
    this.result = result;
    this.groups = groups;
    this.meanDistance = meanDistance;
    this.source = source;
  }

  /** Which lengths are drawn, and on which axes. */
  private enum View {
    LINEAR(AxisKind.LINEAR, Double.POSITIVE_INFINITY, "all lengths, linear"),
    SHORT(AxisKind.LINEAR, SaeExpectations.SHORT, "short lengths, linear"),
    LOG(AxisKind.LOG, Double.POSITIVE_INFINITY, "all lengths, logarithmic");

    private final AxisKind axis;
    private final double longest;
    private final String words;

    View(AxisKind axis, double longest, String words) {
      this.axis = axis;
      this.longest = longest;
      this.words = words;
    }

    private String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Returns the section of the report, without figures if no SAE was measured. */
  Figures section() {
    Map<String, String> metrics = new LinkedHashMap<>();
    metrics.put("kl", "KL");
    metrics.put("l2", "L2 at the last resid_post");
    Map<String, String> views = new LinkedHashMap<>();
    for (View view : View.values()) {
      views.put(view.key(), view.words);
    }
    List<Figure> figures = new ArrayList<>();
    for (Metric metric : Metric.values()) {
      for (View view : View.values()) {
        for (SaeDirectionKind kind : SaeDirectionKind.values()) {
          add(figures, kind.word(), title(kind), metric, view, byFamily(kind, metric, view));
        }
        add(
            figures,
            "sae-families",
            "Inactive features: one SAE a family at about equal L0, and baselines",
            metric,
            view,
            matched(metric, view));
      }
    }
    return new Figures(
        "Directions of SAEs",
        "The colour goes with L0, the mean number of active features at a position of this text.",
        List.of(
            new Choice("metric", "Read-out", metrics),
            new Choice("view", "Lengths and axes", views)),
        figures);
  }

  private static String title(SaeDirectionKind kind) {
    return switch (kind) {
      case ERROR -> "Directions of the reconstruction error";
      case FEATURE -> "Directions of features that are alive but not active in the row";
      case ACTIVE_FEATURE -> "Directions of features that are active in the row";
      case DEAD_FEATURE -> "Directions of dead features";
    };
  }

  private void add(
      List<Figure> figures,
      String name,
      String title,
      Metric metric,
      View view,
      List<Panel> panels) {
    if (panels.isEmpty()) {
      return;
    }
    String what =
        switch (metric) {
          case KL -> "Mean KL(original‖perturbed)";
          case L2 -> "Mean L2 distance at the last resid_post";
        };
    String unit =
        switch (metric) {
          case KL -> "mean KL (nats)";
          case L2 -> "mean L2 distance (model units)";
        };
    String metricKey = metric.name().toLowerCase(Locale.ROOT);
    Chart chart =
        new Chart(
            title,
            what
                + ", "
                + result.where(Positions.ALL)
                + "; bands: 95 % bootstrap intervals over "
                + result.rows()
                + " rows",
            source,
            new AxisSpec("perturbation length α (model units)", "α", view.axis),
            new AxisSpec(unit, unit, view.axis),
            panels);
    figures.add(
        new Figure(
            Map.of("metric", metricKey, "view", view.key()),
            name + "-" + metricKey + "-" + view.key(),
            chart));
  }

  private List<Panel> byFamily(SaeDirectionKind kind, Metric metric, View view) {
    List<Panel> panels = new ArrayList<>();
    for (SaeGroup group : groups) {
      List<Series> series = new ArrayList<>();
      for (int rank = 0; rank < group.members().size(); rank++) {
        Member one = group.members().get(rank);
        String l0 = "L0 " + Numbers.significant(one.l0(), 3);
        series(
                one.direction(kind),
                group.family() + " " + l0,
                l0,
                Style.ramp(rank, group.members().size()),
                metric,
                view)
            .ifPresent(series::add);
      }
      if (!series.isEmpty()) {
        reference(COV_RANDOM_MIXTURE, Style.BLUE_DASHED, metric, view).ifPresent(series::add);
        reference(ISOTROPIC, Style.BLACK_DOTTED, metric, view).ifPresent(series::add);
        panels.add(new Panel(group.family() + " SAEs", series, Optional.empty()));
      }
    }
    return panels;
  }

  private List<Panel> matched(Metric metric, View view) {
    List<Style> styles =
        List.of(
            Style.VERMILION_SOLID,
            Style.GREEN_SOLID,
            Style.PURPLE_DASHED,
            Style.RAMP_1,
            Style.RAMP_5);
    List<Series> series = new ArrayList<>();
    int next = 0;
    for (Map.Entry<String, Member> entry : SaeGroup.matched(groups).entrySet()) {
      String l0 = "L0 " + Numbers.significant(entry.getValue().l0(), 3);
      Optional<Series> one =
          series(
              entry.getValue().direction(SaeDirectionKind.FEATURE),
              entry.getKey() + " " + l0,
              entry.getKey(),
              styles.get(next++ % styles.size()),
              metric,
              view);
      one.ifPresent(series::add);
    }
    if (series.isEmpty() || groups.size() < 2) {
      return List.of();
    }
    reference(COV_RANDOM_MIXTURE, Style.BLUE_DASHED, metric, view).ifPresent(series::add);
    reference(REAL_MIXTURE, Style.VERMILION_DASHED, metric, view).ifPresent(series::add);
    reference(ISOTROPIC, Style.BLACK_DOTTED, metric, view).ifPresent(series::add);
    return List.of(new Panel("inactive features and baselines", series, Optional.empty()));
  }

  private Optional<Series> reference(
      SweptDirection direction, Style style, Metric metric, View view) {
    String words = Expectations.words(direction);
    return series(
        direction, words, words.replace("cov-random mixture", "cov-random"), style, metric, view);
  }

  private Optional<Series> series(
      SweptDirection direction, String name, String label, Style style, Metric metric, View view) {
    if (!result.kinds().contains(direction)) {
      return Optional.empty();
    }
    List<Value> points = new ArrayList<>();
    for (int l = 0; l < result.lengths().length; l++) {
      if (result.lengths()[l] <= view.longest * meanDistance) {
        Interval interval = result.interval(direction, l, metric, Positions.ALL);
        points.add(
            new Value(
                result.lengths()[l],
                result.mean(direction, l, metric, Positions.ALL),
                interval.low(),
                interval.high()));
      }
    }
    return points.isEmpty()
        ? Optional.empty()
        : Optional.of(new Series(name, label, style, points));
  }
}
