package dev.resid.experiments.substitution;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.substitution.Cases.Case;
import dev.resid.experiments.substitution.Cases.Positions;
import dev.resid.experiments.sweep.Interval;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** What 0 and the mean do in the place of an activation: by layer, and at a single position. */
final class AblationFigures {
  private static final List<Substitute> ABLATIONS =
      List.of(Substitute.ZERO, Substitute.MEAN, Substitute.MEAN_WITH_FIRST);

  private final SubstitutionResult result;
  private final String source;
  private final int position;

  AblationFigures(SubstitutionResult result, String source, int position) {
    this.result = result;
    this.source = source;
    this.position = position;
  }

  /** Returns the section of the report; without figures if nothing was ablated. */
  Figures section() {
    Map<String, String> shown = new LinkedHashMap<>();
    Map<String, String> axes = new LinkedHashMap<>();
    axes.put("linear", "linear");
    axes.put("log", "logarithmic");
    List<Figure> figures = new ArrayList<>();
    for (AxisKind kind : List.of(AxisKind.LINEAR, AxisKind.LOG)) {
      List<Panel> alone = alone();
      if (!alone.isEmpty()) {
        shown.put("single-position", "position " + position + " alone");
        add(figures, "single-position", kind, aloneTitle(), distance(), alone);
      }
      List<Panel> layers = byLayer();
      if (!layers.isEmpty()) {
        shown.put("all-positions", "all positions");
        add(figures, "all-positions", kind, "Every position ablated, by layer", layer(), layers);
      }
    }
    return new Figures(
        "Ablations",
        "The activation is replaced by 0 or by the mean of the data.",
        List.of(new Choice("where", "Replaced", shown), new Choice("axes", "Vertical axis", axes)),
        figures);
  }

  private String aloneTitle() {
    return "Only position " + position + " ablated";
  }

  private static AxisSpec distance() {
    return new AxisSpec("positions after the ablated one", "distance", AxisKind.LINEAR).whole();
  }

  private static AxisSpec layer() {
    return new AxisSpec("layer", "layer", AxisKind.LINEAR).whole();
  }

  private void add(
      List<Figure> figures,
      String where,
      AxisKind kind,
      String title,
      AxisSpec x,
      List<Panel> panels) {
    String axis = kind.name().toLowerCase(Locale.ROOT);
    figures.add(
        new Figure(
            Map.of("where", where, "axes", axis),
            "ablation-" + where + "-" + axis,
            new Chart(
                title,
                "Mean KL(original‖changed); bands: 95 % bootstrap intervals over "
                    + result.rows()
                    + " rows",
                source,
                x,
                new AxisSpec("mean KL (nats)", "mean KL (nats)", kind),
                panels)));
  }

  /** Returns the ablated points, in the model's order. */
  private List<HookPoint> points() {
    return result.cases().all().stream()
        .filter(one -> !one.substitute().needsSae())
        .map(one -> HookPoint.parse(one.subject()))
        .distinct()
        .sorted()
        .toList();
  }

  private List<Panel> alone() {
    List<Panel> panels = new ArrayList<>();
    for (HookPoint point : points()) {
      List<Series> series = new ArrayList<>();
      for (Substitute substitute : ABLATIONS) {
        Case one = new Case(point.name(), substitute);
        if (result.cases().single().contains(one) && result.rowsAfter(0) > 0) {
          List<Value> values = new ArrayList<>();
          for (int d = 0; d < Cases.AFTER && result.rowsAfter(d) > 0; d++) {
            int distance = d;
            values.add(value(d, m -> m.after(one, distance)));
          }
          series.add(series(substitute, values));
        }
      }
      if (!series.isEmpty()) {
        panels.add(new Panel(point.name(), series, Optional.empty()));
      }
    }
    return panels;
  }

  private List<Panel> byLayer() {
    List<HookPoint> points =
        points().stream().sorted(Comparator.comparingInt(HookPoint::layer)).toList();
    List<Series> series = new ArrayList<>();
    for (Substitute substitute : ABLATIONS) {
      List<Value> values = new ArrayList<>();
      for (HookPoint point : points) {
        Case one = new Case(point.name(), substitute);
        if (result.cases().all().contains(one) && result.cases().readouts().contains(Readout.KL)) {
          values.add(value(point.layer(), m -> m.get(one, Readout.KL, Positions.ALL)));
        }
      }
      if (values.size() > 1) {
        series.add(series(substitute, values));
      }
    }
    return series.isEmpty() ? List.of() : List.of(new Panel("resid_pre", series, Optional.empty()));
  }

  private static Series series(Substitute substitute, List<Value> values) {
    Style style =
        switch (substitute) {
          case ZERO -> Style.VERMILION_SOLID;
          case MEAN -> Style.BLUE_SOLID;
          default -> Style.BLUE_DASHED;
        };
    String label = substitute == Substitute.ZERO ? "0" : substitute.word().replace('-', ' ');
    return new Series(substitute.words(), label, style, values);
  }

  private Value value(double x, ToDoubleFunction<SubstitutionResult.Means> number) {
    Interval interval = result.interval(number::applyAsDouble);
    return new Value(x, result.value(number::applyAsDouble), interval.low(), interval.high());
  }
}
