package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryLayout.Error;
import dev.resid.experiments.dictionary.DictionaryMeans.Positions;
import dev.resid.experiments.dictionary.DictionaryPairs.Pair;
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
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.sae.metric.FeatureRemoval.Order;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** The figures of a result. */
final class DictionaryFigures {
  private final DictionaryMeans means;
  private final DictionaryPairs pairs;
  private final DictionaryLayout sizes;
  private final String source;

  DictionaryFigures(DictionaryMeans means, DictionaryPairs pairs, String source) {
    this.means = means;
    this.pairs = pairs;
    this.sizes = means.sizes();
    this.source = source;
  }

  private static String key(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /** Returns loss recovered against L0 as features are removed. */
  Figures removal() {
    Map<String, String> orders = new LinkedHashMap<>();
    orders.put("frequency", "active on most tokens first");
    orders.put("mean_activation", "largest mean activation first");
    List<Figure> figures = new ArrayList<>();
    for (Order order : Order.values()) {
      List<Panel> panels = new ArrayList<>();
      means
          .groups()
          .forEach(
              (group, some) -> {
                List<Series> series = new ArrayList<>();
                for (int rank = 0; rank < some.size(); rank++) {
                  int sae = some.get(rank);
                  series.add(
                      new Series(
                          sizes.saes().get(sae).name(),
                          "",
                          Style.ramp(rank, some.size()),
                          curve(sae, order)));
                }
                panels.add(new Panel(group, series, Optional.empty()));
              });
      figures.add(
          new Figure(
              Map.of("order", key(order)),
              "removal-" + key(order).replace('_', '-'),
              new Chart(
                  "Loss recovered without the busiest features",
                  "From right to left 0, 1, 2, 4, 8, … features are set to 0; bands: 95 % bootstrap"
                      + " intervals over "
                      + means.rows()
                      + " rows",
                  source,
                  new AxisSpec("L0: mean number of active features left", "L0", AxisKind.LINEAR),
                  new AxisSpec("loss recovered", "loss recovered", AxisKind.SIGNED),
                  panels)));
    }
    return new Figures(
        "What the most frequent features are worth",
        "The right end of a curve is the SAE as it was trained. Where a curve passes below the"
            + " right end of a sparser SAE, training for sparsity was better than removing"
            + " features.",
        List.of(new Choice("order", "Removed first", orders)),
        figures);
  }

  private List<Value> curve(int sae, Order order) {
    List<Value> values = new ArrayList<>();
    for (int k = sizes.removed().length - 1; k >= 0; k--) {
      int step = k;
      Estimate recovered = means.of(sums -> means.recovered(sums, sae, order, step));
      values.add(value(means.value(sums -> means.l0(sums, sae, order, step)), recovered));
    }
    values.sort(Comparator.comparingDouble(Value::x));
    return values;
  }

  private static Value value(double x, Estimate y) {
    return new Value(x, y.value(), y.interval().low(), y.interval().high());
  }

  /** Returns norms by layer, and errors of SAEs against norms. */
  Figures norms() {
    Map<String, String> positions = new LinkedHashMap<>();
    positions.put("without_first", "without position 0");
    positions.put("all", "all");
    List<Figure> figures = new ArrayList<>();
    for (Positions average : List.of(Positions.WITHOUT_FIRST, Positions.ALL)) {
      Map<String, String> chosen = Map.of("positions", key(average));
      String name = key(average).replace('_', '-');
      figures.add(
          new Figure(
              chosen,
              "norms-" + name,
              new Chart(
                  "Norms of activations by layer",
                  "Mean ‖x‖; bands: 95 % bootstrap intervals over rows",
                  source,
                  new AxisSpec("layer", "layer", AxisKind.LINEAR).whole(),
                  new AxisSpec("mean norm (model units)", "mean norm", AxisKind.LOG),
                  List.of(
                      new Panel(
                          "",
                          List.of(
                              new Series("resid_pre", "", Style.BLACK_DOTTED, layers(0, average)),
                              new Series(
                                  "mlp_out",
                                  "",
                                  Style.BLUE_SOLID,
                                  layers(sizes.layers(), average))),
                          Optional.empty())))));
      figures.add(
          new Figure(
              chosen,
              "errors-" + name,
              new Chart(
                  "Errors of SAEs against norms",
                  "Left the raw squared error, right its share of ‖x‖² at the token",
                  source,
                  new AxisSpec("mean ‖x‖² (model units²)", "mean ‖x‖²", AxisKind.LOG),
                  new AxisSpec("mean ‖SAE(x) − x‖² (model units²)", "squared error", AxisKind.LOG),
                  List.of(
                      errors("raw", Error.SQUARED, average, Optional.empty()),
                      errors(
                          "relative",
                          Error.RELATIVE,
                          average,
                          Optional.of(
                              new AxisSpec("mean ‖SAE(x) − x‖²/‖x‖²", "share", AxisKind.LOG)))))));
    }
    return new Figures(
        "Norms and errors",
        "A raw error says little by itself: it grows with the norm of what is reconstructed.",
        List.of(new Choice("positions", "Average over positions", positions)),
        figures);
  }

  private List<Value> layers(int first, Positions average) {
    List<Value> values = new ArrayList<>();
    for (int layer = 0; layer < sizes.layers(); layer++) {
      int point = first + layer;
      values.add(value(layer, means.of(sums -> means.norm(sums, point, average))));
    }
    return values;
  }

  private Panel errors(String title, Error error, Positions average, Optional<AxisSpec> axis) {
    List<Style> styles =
        List.of(
            Style.VERMILION_SOLID,
            Style.BLUE_SOLID,
            Style.GREEN_SOLID,
            Style.PURPLE_DASHED,
            Style.BLACK_DOTTED);
    List<Series> series = new ArrayList<>();
    means
        .groups()
        .forEach(
            (group, some) ->
                series.add(
                    new Series(
                        group,
                        "",
                        styles.get(series.size() % styles.size()),
                        Trace.MARKS,
                        some.stream()
                            .map(
                                s ->
                                    value(
                                        means.value(
                                            sums ->
                                                means.error(sums, s, Error.SQUARED_NORM, average)),
                                        means.of(sums -> means.error(sums, s, error, average))))
                            .sorted(Comparator.comparingDouble(Value::x))
                            .toList())));
    return new Panel(title, series, Optional.empty(), axis);
  }

  /** Returns the maps of mean cosines and counts. */
  Figures maps() {
    Map<String, String> kinds = new LinkedHashMap<>();
    kinds.put("plain", "mean largest cosine");
    kinds.put("assigned", "mean cosine one-to-one");
    kinds.put("count", "share above 0.9");
    List<Figure> figures = new ArrayList<>();
    Map<String, String> shown = new LinkedHashMap<>();
    kinds.forEach(
        (kind, words) -> {
          boolean any =
              !kind.equals("assigned")
                  || pairs.all().stream().anyMatch(p -> p.assigned().isPresent());
          if (any) {
            shown.put(kind, words);
            figures.add(new Figure(Map.of("kind", kind), "cosines-" + kind, map(kind, words)));
          }
        });
    return new Figures(
        "Directions that dictionaries share",
        "Each direction of the SAE of the row looks for its partner in the SAE of the column;"
            + " within one SAE for the nearest other direction.",
        List.of(new Choice("kind", "Shown", shown)),
        figures);
  }

  private HeatMap map(String kind, String words) {
    ToDoubleFunction<Pair> number =
        switch (kind) {
          case "plain" -> pair -> pair.plain().mean();
          case "assigned" -> pair -> pair.assigned().map(m -> m.mean()).orElse(Double.NaN);
          default ->
              pair -> (double) pair.plain().countAbove(DictionaryPairs.SAME) / pair.atomsFrom();
        };
    int n = sizes.saes().size();
    List<String> names = sizes.saes().stream().map(SaeFacts::name).toList();
    List<List<Double>> values = new ArrayList<>();
    for (int a = 0; a < n; a++) {
      List<Double> row = new ArrayList<>();
      for (int b = 0; b < n; b++) {
        row.add(pairs.get(a, b).map(number::applyAsDouble).orElse(Double.NaN));
      }
      values.add(row);
    }
    return new HeatMap(
        "Cosines between dictionaries: " + words,
        "Directions of the SAE of the row, in the SAE of the column",
        source,
        words,
        List.of(new Cells("", "SAE", names, "looked in", names, values)));
  }

  /** Returns the cosines of neighbours in L0, features sorted. */
  Figures curves() {
    List<Panel> panels = new ArrayList<>();
    means
        .groups()
        .forEach(
            (group, some) -> {
              List<Series> series = new ArrayList<>();
              for (int i = 1; i < some.size(); i++) {
                int rank = i - 1;
                int from = some.get(i - 1);
                int to = some.get(i);
                pairs
                    .get(from, to)
                    .ifPresent(
                        pair ->
                            series.add(
                                new Series(
                                    sizes.saes().get(from).name()
                                        + " in "
                                        + sizes.saes().get(to).name(),
                                    "",
                                    Style.ramp(rank, some.size() - 1),
                                    Trace.CURVE,
                                    sorted(pair))));
              }
              if (!series.isEmpty()) {
                panels.add(new Panel(group, series, Optional.empty()));
              }
            });
    List<Figure> figures = new ArrayList<>();
    if (!panels.isEmpty()) {
      figures.add(
          new Figure(
              Map.of(),
              "cosine-curves",
              new Chart(
                  "Largest cosines of neighbours in L0",
                  "Features sorted by their largest cosine with a direction of the next denser SAE",
                  source,
                  new AxisSpec("features, in percent", "percent", AxisKind.LINEAR),
                  new AxisSpec("largest cosine", "cosine", AxisKind.SIGNED),
                  panels)));
    }
    return new Figures("Largest cosines, feature by feature", "", List.of(), figures);
  }

  private static List<Value> sorted(Pair pair) {
    double[] cosines = pair.plain().descending().cosines();
    List<Value> values = new ArrayList<>();
    int points = Math.min(cosines.length, 100);
    for (int i = 0; i < points; i++) {
      int at = points == 1 ? 0 : Math.round((float) i * (cosines.length - 1) / (points - 1));
      values.add(Value.at(100.0 * at / cosines.length, cosines[at]));
    }
    return values;
  }
}
