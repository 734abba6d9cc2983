package dev.resid.experiments.substitution;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.substitution.Cases.Case;
import dev.resid.experiments.substitution.Cases.Positions;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** The published figures of substitution: by layer, by L0, and after a single position. */
final class SubstitutionFigures {
  private static final List<Substitute> OTHERS =
      List.of(
          Substitute.RECONSTRUCTION,
          Substitute.NORM_CORRECTED,
          Substitute.NORM_ONLY,
          Substitute.THETA_RANDOM,
          Substitute.THETA_RANDOM_SAE_NORM);

  private final SubstitutionResult result;
  private final List<SubstitutedSae> saes;
  private final String source;
  private final int position;

  SubstitutionFigures(
      SubstitutionResult result, List<SubstitutedSae> saes, String source, int position) {
    this.result = result;
    this.saes = saes;
    this.source = source;
    this.position = position;
  }

  /** Returns the figures over layers and L0. */
  Figures section() {
    Map<String, String> metrics = new LinkedHashMap<>();
    result.cases().readouts().forEach(readout -> metrics.put(readout.word(), readout.label()));
    Map<String, String> positions = new LinkedHashMap<>();
    positions.put("all", "all (published)");
    positions.put("without_first", "without position 0");
    Map<String, String> axes = new LinkedHashMap<>();
    axes.put("linear", "linear");
    axes.put("log", "logarithmic");
    List<Figure> figures = new ArrayList<>();
    for (Readout metric : result.cases().readouts()) {
      for (Positions average : Positions.values()) {
        for (AxisKind kind : List.of(AxisKind.LINEAR, AxisKind.LOG)) {
          View view = new View(metric, average, kind);
          add(figures, "by-l0", "Four substitutions at equal distance, by L0", view, byL0(view));
          add(
              figures,
              "by-layer",
              "Four substitutions at equal distance, by layer",
              view,
              byLayer(view));
          add(
              figures,
              "corrections",
              "SAE(x) with other norms, and random vectors at its angle",
              view,
              others(view));
          add(figures, "by-error", "What reconstructions do, by their error", view, byError(view));
        }
      }
    }
    return new Figures(
        "Figures",
        "ε is the distance ‖SAE(x) − x‖ at each position: all four substitutions of the first"
            + " figures move the activation by it.",
        List.of(
            new Choice("metric", "Read-out", metrics),
            new Choice("positions", "Average over positions", positions),
            new Choice("axes", "Vertical axis", axes)),
        figures);
  }

  private record View(Readout metric, Positions positions, AxisKind axis) {
    private String key() {
      return (metric.name() + "-" + positions.name() + "-" + axis.name())
          .toLowerCase(Locale.ROOT)
          .replace('_', '-');
    }
  }

  private static String key(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private void add(List<Figure> figures, String name, String title, View view, List<Panel> panels) {
    if (panels.isEmpty()) {
      return;
    }
    String unit = view.metric().axis();
    String where = view.positions() == Positions.ALL ? "0 to n−2" : "1 to n−2";
    figures.add(
        new Figure(
            Map.of(
                "metric", key(view.metric()),
                "positions", key(view.positions()),
                "axes", key(view.axis())),
            name + "-" + view.key(),
            new Chart(
                title,
                view.metric().meaning()
                    + ", positions "
                    + where
                    + (name.equals("by-error") ? "; bars" : "; bands")
                    + ": 95 % bootstrap intervals over "
                    + result.rows()
                    + " rows",
                source,
                switch (name) {
                  case "by-layer" -> new AxisSpec("layer", "layer", AxisKind.LINEAR).whole();
                  case "by-error" ->
                      new AxisSpec("mean ε = ‖SAE(x) − x‖ (model units)", "ε", AxisKind.LINEAR);
                  default ->
                      new AxisSpec("L0: mean number of active features", "L0", AxisKind.LINEAR);
                },
                new AxisSpec(unit, unit, view.axis()),
                panels)));
  }

  private List<Panel> byL0(View view) {
    List<Panel> panels = new ArrayList<>();
    groups(s -> s.family() + " SAEs at " + s.point())
        .forEach(
            (title, some) ->
                panel(title, some, Substitute.EQUAL_DISTANCE, SubstitutedSae::l0, view)
                    .ifPresent(panels::add));
    return panels;
  }

  /** Panels of families with SAEs at several layers: of each layer the one of middle L0. */
  private List<Panel> byLayer(View view) {
    List<Panel> panels = new ArrayList<>();
    groups(SubstitutedSae::family)
        .forEach(
            (family, some) -> {
              Map<Integer, List<SubstitutedSae>> layers = new LinkedHashMap<>();
              some.forEach(
                  s -> layers.computeIfAbsent(s.layer(), layer -> new ArrayList<>()).add(s));
              if (layers.size() > 1) {
                List<SubstitutedSae> middle =
                    layers.values().stream().map(l -> l.get(l.size() / 2)).toList();
                panel(
                        family + " SAEs",
                        middle,
                        Substitute.EQUAL_DISTANCE,
                        SubstitutedSae::layer,
                        view)
                    .ifPresent(panels::add);
              }
            });
    return panels;
  }

  /** Panels of points, with one symbol an SAE by its family. */
  private List<Panel> byError(View view) {
    List<Panel> panels = new ArrayList<>();
    groups(SubstitutedSae::point)
        .forEach(
            (point, some) -> {
              Map<String, List<Value>> families = new LinkedHashMap<>();
              some.stream()
                  .sorted(Comparator.comparingDouble(SubstitutedSae::epsilon))
                  .filter(sae -> result.has(sae.name(), Substitute.RECONSTRUCTION))
                  .forEach(
                      sae ->
                          families
                              .computeIfAbsent(sae.family(), family -> new ArrayList<>())
                              .add(
                                  value(
                                      sae.epsilon(),
                                      new Case(sae.name(), Substitute.RECONSTRUCTION),
                                      view)));
              List<Series> series = new ArrayList<>();
              families.forEach(
                  (family, values) ->
                      series.add(
                          new Series(
                              family + " SAEs", "", familyStyle(family), Trace.MARKS, values)));
              if (!series.isEmpty()) {
                panels.add(new Panel("SAE(x) at " + point, series, Optional.empty()));
              }
            });
    return panels;
  }

  private Value value(double x, Case one, View view) {
    Interval interval = result.interval(m -> m.get(one, view.metric(), view.positions()));
    double mean = result.value(m -> m.get(one, view.metric(), view.positions()));
    return new Value(x, mean, interval.low(), interval.high());
  }

  /** Returns a style for a family, the same in every panel. */
  private Style familyStyle(String family) {
    List<String> families = saes.stream().map(SubstitutedSae::family).distinct().toList();
    List<Style> styles =
        List.of(
            Style.VERMILION_SOLID,
            Style.BLUE_SOLID,
            Style.GREEN_SOLID,
            Style.PURPLE_DASHED,
            Style.BLACK_DOTTED);
    return styles.get(families.indexOf(family) % styles.size());
  }

  private List<Panel> others(View view) {
    List<Panel> panels = new ArrayList<>();
    groups(s -> s.family() + " SAEs at " + s.point())
        .forEach(
            (title, some) ->
                panel(title, some, OTHERS, SubstitutedSae::l0, view).ifPresent(panels::add));
    return panels;
  }

  private Map<String, List<SubstitutedSae>> groups(
      java.util.function.Function<SubstitutedSae, String> by) {
    Map<String, List<SubstitutedSae>> groups = new LinkedHashMap<>();
    saes.forEach(s -> groups.computeIfAbsent(by.apply(s), key -> new ArrayList<>()).add(s));
    return groups;
  }

  private Optional<Panel> panel(
      String title,
      List<SubstitutedSae> some,
      List<Substitute> substitutes,
      ToDoubleFunction<SubstitutedSae> x,
      View view) {
    List<Series> series = new ArrayList<>();
    for (Substitute substitute : substitutes) {
      List<Value> points = new ArrayList<>();
      for (SubstitutedSae sae : some.stream().sorted(Comparator.comparingDouble(x)).toList()) {
        Case one = new Case(sae.name(), substitute);
        if (result.cases().all().contains(one)) {
          points.add(value(x.applyAsDouble(sae), one, view));
        }
      }
      if (!points.isEmpty()) {
        series.add(new Series(substitute.words(), label(substitute), style(substitute), points));
      }
    }
    return series.isEmpty()
        ? Optional.empty()
        : Optional.of(new Panel(title, series, Optional.empty()));
  }

  /** Returns the figure of what follows the replacement of one position. */
  Figures single() {
    List<Figure> figures = new ArrayList<>();
    Map<String, String> axes = new LinkedHashMap<>();
    axes.put("linear", "linear");
    axes.put("log", "logarithmic");
    for (AxisKind kind : List.of(AxisKind.LINEAR, AxisKind.LOG)) {
      List<Panel> panels = new ArrayList<>();
      groups(s -> s.family() + " SAEs at " + s.point())
          .forEach(
              (title, some) -> {
                SubstitutedSae middle = some.get(some.size() / 2);
                List<Series> series = new ArrayList<>();
                for (Substitute substitute : result.cases().alone()) {
                  Case one = new Case(middle.name(), substitute);
                  if (result.cases().single().contains(one) && result.rowsAfter(0) > 0) {
                    series.add(
                        new Series(
                            substitute.words(), label(substitute), style(substitute), after(one)));
                  }
                }
                if (!series.isEmpty()) {
                  panels.add(
                      new Panel(
                          middle.family()
                              + " at block "
                              + middle.layer()
                              + ", L0 "
                              + Numbers.significant(middle.l0(), 3),
                          series,
                          Optional.empty()));
                }
              });
      if (!panels.isEmpty()) {
        figures.add(
            new Figure(
                Map.of("axes", key(kind)),
                "single-position-" + key(kind),
                new Chart(
                    "Only position " + position + " replaced",
                    "Mean KL(original‖changed) there and at the next positions; bands: 95 %"
                        + " bootstrap intervals over rows",
                    source,
                    new AxisSpec("positions after the replaced one", "distance", AxisKind.LINEAR)
                        .whole(),
                    new AxisSpec("mean KL (nats)", "mean KL (nats)", kind),
                    panels)));
      }
    }
    return new Figures(
        "A single position",
        "One SAE of each family, of middle L0.",
        List.of(new Choice("axes", "Vertical axis", axes)),
        figures);
  }

  private List<Value> after(Case one) {
    List<Value> points = new ArrayList<>();
    for (int d = 0; d < Cases.AFTER && result.rowsAfter(d) > 0; d++) {
      int distance = d;
      Interval interval = result.interval(m -> m.after(one, distance));
      points.add(
          new Value(d, result.value(m -> m.after(one, distance)), interval.low(), interval.high()));
    }
    return points;
  }

  private static String label(Substitute substitute) {
    return switch (substitute) {
      case COV_RANDOM_MIXTURE -> "cov-random";
      case THETA_RANDOM -> "angle, ‖x‖";
      case THETA_RANDOM_SAE_NORM -> "angle, ‖s‖";
      case NORM_CORRECTED -> "norm of x";
      default -> substitute.words();
    };
  }

  private static Style style(Substitute substitute) {
    return switch (substitute) {
      case RECONSTRUCTION -> Style.VERMILION_SOLID;
      case ISOTROPIC -> Style.BLACK_DOTTED;
      case COV_RANDOM_MIXTURE -> Style.BLUE_DASHED;
      case REAL_MIXTURE -> Style.GREEN_SOLID;
      case NORM_CORRECTED -> Style.BLUE_SOLID;
      case NORM_ONLY -> Style.PURPLE_DASHED;
      case THETA_RANDOM -> Style.RAMP_4;
      case THETA_RANDOM_SAE_NORM -> Style.RAMP_8;
      case ZERO, MEAN, MEAN_WITH_FIRST -> Style.RAMP_1;
    };
  }
}
