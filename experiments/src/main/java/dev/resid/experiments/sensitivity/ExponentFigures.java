package dev.resid.experiments.sensitivity;

import dev.resid.experiments.direction.SaeDirectionKind;
import dev.resid.experiments.direction.SweptDirection;
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
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The power of α with which KL and L2 grow, length by length; a panel a read-out. */
final class ExponentFigures {
  /** An SAE of each family and kind is enough; more curves would hide each other. */
  private static final List<Style> OF_SAES =
      List.of(Style.RAMP_1, Style.RAMP_4, Style.RAMP_8, Style.GREEN_SOLID, Style.PURPLE_DASHED);

  private final SensitivityResult result;
  private final List<SaeGroup> groups;
  private final String source;

  ExponentFigures(SensitivityResult result, List<SaeGroup> groups, String source) {
    this.result = result;
    this.groups = groups;
    this.source = source;
  }

  /** Returns the section of the report; without figures if there is one length. */
  Figures section() {
    Map<String, String> shown = new LinkedHashMap<>();
    List<Figure> figures = new ArrayList<>();
    List<SweptDirection> baselines =
        result.kinds().stream().filter(kind -> kind.saeName().isEmpty()).toList();
    add(figures, shown, "baselines", "directions without an SAE", baselines);
    add(figures, shown, "saes", "errors of SAEs", errors());
    return new Figures(
        "Powers of the length",
        "Δ ln KL/Δ ln α and Δ ln L2/Δ ln α between neighbouring lengths: 1 is a straight line, 2 a"
            + " parabola. In exponents.csv are those of all directions.",
        List.of(new Choice("of", "Directions", shown)),
        figures);
  }

  /** Returns the error of one SAE of each family, of middle L0. */
  private List<SweptDirection> errors() {
    List<SweptDirection> errors = new ArrayList<>();
    for (SaeGroup group : groups) {
      String name = group.members().get(group.members().size() / 2).name();
      result.kinds().stream()
          .filter(
              kind ->
                  kind instanceof SweptDirection.OfSae of
                      && of.kind() == SaeDirectionKind.ERROR
                      && of.sae().equals(name))
          .forEach(errors::add);
    }
    return errors;
  }

  private void add(
      List<Figure> figures,
      Map<String, String> shown,
      String key,
      String words,
      List<SweptDirection> kinds) {
    if (kinds.isEmpty() || result.lengths().length < 2) {
      return;
    }
    shown.put(key, words);
    List<Panel> panels = new ArrayList<>();
    for (Metric metric : Metric.values()) {
      List<Series> series = new ArrayList<>();
      for (int k = 0; k < kinds.size(); k++) {
        SweptDirection kind = kinds.get(k);
        Style style = SensitivityFigures.styleOf(kind).orElse(OF_SAES.get(k % OF_SAES.size()));
        series.add(new Series(Expectations.words(kind), label(kind), style, points(kind, metric)));
      }
      panels.add(new Panel(metric.name().toUpperCase(Locale.ROOT), series, Optional.empty()));
    }
    figures.add(
        new Figure(
            Map.of("of", key),
            "exponents-" + key,
            new Chart(
                "Power of the length with which predictions and final activations move",
                "Between neighbouring lengths, at the geometric mean of the two; all positions;"
                    + " bands: 95 % bootstrap intervals over "
                    + result.rows()
                    + " rows",
                source,
                new AxisSpec("perturbation length α (model units)", "α", AxisKind.LOG),
                new AxisSpec("exponent of α", "exponent", AxisKind.SIGNED),
                panels)));
  }

  /** Returns a name short enough for the end of a curve. */
  private String label(SweptDirection kind) {
    return switch (kind) {
      case SweptDirection.Baseline baseline ->
          switch (baseline.kind()) {
            case ISOTROPIC -> "isotropic";
            case COV_RANDOM_DIFFERENCE -> "cov. diff.";
            case COV_RANDOM_MIXTURE -> "cov. mix.";
            case REAL_DIFFERENCE -> "real diff.";
            case REAL_MIXTURE -> "real mix.";
          };
      case SweptDirection.Own own -> own.direction().word();
      case SweptDirection.OfSae of ->
          groups.stream()
              .filter(group -> group.members().stream().anyMatch(m -> m.name().equals(of.sae())))
              .map(SaeGroup::family)
              .findFirst()
              .orElse("");
    };
  }

  private List<Value> points(SweptDirection kind, Metric metric) {
    double[] lengths = result.lengths();
    List<Value> points = new ArrayList<>();
    for (int l = 1; l < lengths.length; l++) {
      SensitivityResult.Statistic power = result.power(kind, l, metric);
      Interval interval = result.interval(power);
      points.add(
          new Value(
              Math.sqrt(lengths[l - 1] * lengths[l]),
              result.value(power),
              interval.low(),
              interval.high()));
    }
    return points;
  }
}
