package dev.resid.experiments.dictionary;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.HeatMap;
import dev.resid.experiments.report.HeatMap.Cells;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The figures on connections. */
final class ConnectionFigures {
  private static final int SHOWN_TARGETS = 16;

  private final ConnectionReport report;
  private final String source;

  ConnectionFigures(ConnectionReport report, String source) {
    this.report = report;
    this.source = source;
  }

  /** Returns all of them. */
  List<Figures> all() {
    return List.of(scatter(), effects());
  }

  private String name(int pair) {
    return report.pairs().get(pair).name(report.saes());
  }

  private Map<String, String> choices() {
    Map<String, String> choices = new LinkedHashMap<>();
    for (int p = 0; p < report.pairs().size(); p++) {
      choices.put("pair" + p, name(p));
    }
    return choices;
  }

  private Figures scatter() {
    List<Figure> figures = new ArrayList<>();
    for (int p = 0; p < report.fits().size(); p++) {
      List<Panel> panels = new ArrayList<>();
      ConnectionFits fits = report.fits().get(p);
      if (fits.weights().length > 0) {
        panel(p, "weights alone", fits.weights()).ifPresent(panels::add);
      }
      panel(p, "linear fit", fits.linear()).ifPresent(panels::add);
      if (!panels.isEmpty()) {
        figures.add(
            new Figure(
                Map.of("pair", "pair" + p),
                "connections-" + p,
                new Chart(
                    "Predicted and causal connections",
                    name(p) + "; one symbol for an earlier and a later feature",
                    source,
                    new AxisSpec(
                        "predicted part of the later activation", "predicted", AxisKind.SIGNED),
                    new AxisSpec(
                        "loss of the later feature without the earlier one",
                        "loss",
                        AxisKind.SIGNED),
                    panels)));
      }
    }
    return new Figures(
        "Connections of weights, fits and experiments",
        "On a line through 0 predictions would be right.",
        figures.isEmpty() ? List.of() : List.of(new Choice("pair", "SAEs", choices())),
        figures);
  }

  private Optional<Panel> panel(int pair, String title, double[][] predicted) {
    List<Value> values = new ArrayList<>();
    int targets = report.pairs().get(pair).targets().length;
    report.forEach(
        (p, slot, row) -> {
          if (p == pair) {
            for (int t = 0; t < targets; t++) {
              values.add(
                  Value.at(
                      report.get(row, "mean_active") * predicted[slot][t],
                      -report.get(row, "where_active", t)));
            }
          }
        });
    values.sort(Comparator.comparingDouble(Value::x));
    return values.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Panel(
                title,
                List.of(new Series("connections", "", Style.BLUE_SOLID, Trace.MARKS, values)),
                Optional.empty()));
  }

  private Figures effects() {
    List<Figure> figures = new ArrayList<>();
    for (int p = 0; p < report.pairs().size(); p++) {
      Optional<Figure> figure = effects(p);
      figure.ifPresent(figures::add);
    }
    return new Figures(
        "What removing a feature does to later ones",
        "",
        figures.isEmpty() ? List.of() : List.of(new Choice("pair", "SAEs", choices())),
        figures);
  }

  private Optional<Figure> effects(int pair) {
    int[] targets = report.pairs().get(pair).targets();
    double[] largest = new double[targets.length];
    report.forEach(
        (p, slot, row) -> {
          for (int t = 0; p == pair && t < targets.length; t++) {
            largest[t] = Math.max(largest[t], Math.abs(report.get(row, "where_active", t)));
          }
        });
    int[] shown =
        IntStream.range(0, targets.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer t) -> -largest[t]).thenComparing(t -> t))
            .limit(SHOWN_TARGETS)
            .mapToInt(t -> t)
            .toArray();
    List<String> rows = new ArrayList<>();
    List<List<Double>> cells = new ArrayList<>();
    report.forEach(
        (p, slot, row) -> {
          if (p == pair) {
            rows.add(String.valueOf(report.feature(p, slot)));
            cells.add(
                Arrays.stream(shown).mapToObj(t -> report.get(row, "where_active", t)).toList());
          }
        });
    if (rows.isEmpty() || shown.length == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new Figure(
            Map.of("pair", "pair" + pair),
            "effects-" + pair,
            new HeatMap(
                "Change of later features without an earlier one",
                name(pair) + "; mean over tokens on which the earlier one was active",
                source,
                "change of the activation",
                List.of(
                    new Cells(
                        "",
                        "earlier feature",
                        rows,
                        "later features that change most",
                        Arrays.stream(shown).mapToObj(t -> String.valueOf(targets[t])).toList(),
                        cells)))));
  }
}
