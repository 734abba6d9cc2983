package dev.resid.experiments.language;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.SaeFacts;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The published figures by position: quality and norms, cross-entropy, and errors by norm. */
final class ContextFigures {
  private static final List<String> QUALITY =
      List.of("L0", "L1", "squared error", "norm ‖x‖ (model units)");
  private static final List<String> SYMBOLS = List.of("L0", "L1", "error", "norm");
  private static final AxisSpec CE = new AxisSpec("CE with the SAE (nats)", "CE", AxisKind.LINEAR);
  private static final AxisSpec INCREASE = new AxisSpec("ΔCE (nats)", "ΔCE", AxisKind.SIGNED);

  private final ContextSizes sizes;
  private final ContextRanges ranges;
  private final int[] shown;
  private final int rows;
  private final String source;

  ContextFigures(ContextSizes sizes, ContextRanges ranges, int[] shown, int rows, String source) {
    this.sizes = sizes;
    this.ranges = ranges;
    this.shown = shown;
    this.rows = rows;
    this.source = source;
  }

  /** Returns all figures. */
  Figures section() {
    Map<String, String> views = new LinkedHashMap<>();
    views.put("position", "by position");
    List<Figure> figures = new ArrayList<>();
    Map<String, List<Integer>> groups = groups();
    Map<String, String> names = new LinkedHashMap<>();
    groups.forEach(
        (name, saes) -> {
          String key = "group-" + names.size();
          names.put(key, name);
          figures.addAll(byPosition(key, name, saes));
        });
    List<Integer> layers = middleOfLayers();
    if (layers.size() > 1) {
      views.put("layer", "by layer");
      figures.addAll(byLayer(layers));
    }
    views.put("norm", "errors against norms");
    figures.add(errors());
    List<Choice> choices = new ArrayList<>(List.of(new Choice("view", "Shown", views)));
    if (groups.size() > 1) {
      choices.add(new Choice("group", "SAEs (by position)", names));
    }
    return new Figures(
        "By position",
        "Positions count from 1, the begin-of-text token. Point at a curve to read values.",
        choices,
        figures);
  }

  /** Returns the SAEs of each family at each point: few enough for one system of axes. */
  private Map<String, List<Integer>> groups() {
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    for (int s = 0; s < sizes.saes().size(); s++) {
      SaeFacts sae = sizes.saes().get(s);
      String name = sae.family() + " at " + sae.reads().name();
      groups.computeIfAbsent(name, any -> new ArrayList<>()).add(s);
    }
    // One SAE a layer, as published, is one picture.
    Map<Integer, Long> layers =
        sizes.saes().stream()
            .collect(Collectors.groupingBy(s -> s.reads().layer(), Collectors.counting()));
    if (layers.values().stream().allMatch(count -> count == 1)) {
      groups.clear();
      groups.put("all", IntStream.range(0, sizes.saes().size()).boxed().toList());
    }
    return groups;
  }

  private String bands() {
    return "Mean over " + rows + " rows; bands: 95 % bootstrap intervals over rows";
  }

  private static Value value(double x, Estimate y) {
    return new Value(x, y.value(), y.interval().low(), y.interval().high());
  }

  private Series bySae(int s, int quantity, Style style) {
    List<Value> points = new ArrayList<>();
    for (int p = 0; p < shown.length; p++) {
      Estimate mean = ranges.shown(s, quantity, p);
      // Cross-entropies differ between rows far more than between SAEs: their bands would be one.
      points.add(
          quantity == ContextRanges.SAE_CE
              ? Value.at(shown[p] + 1.0, mean.value())
              : value(shown[p] + 1.0, mean));
    }
    return new Series(sizes.saes().get(s).name(), "", style, points);
  }

  private List<Figure> byPosition(String key, String name, List<Integer> saes) {
    List<Panel> quality = new ArrayList<>();
    for (int q = 0; q < QUALITY.size(); q++) {
      quality.add(quality(q, saes(saes, q)));
    }
    List<Series> with = new ArrayList<>(saes(saes, ContextRanges.SAE_CE));
    List<Value> clean = new ArrayList<>();
    for (int p = 0; p < shown.length; p++) {
      clean.add(value(shown[p] + 1.0, ranges.shownCe(p)));
    }
    with.add(new Series("without an SAE", "", Style.BLACK_DOTTED, clean));
    AxisSpec x = new AxisSpec("position in the context, from 1", "position", AxisKind.LOG).whole();
    boolean one = saes.size() == sizes.saes().size();
    Map<String, String> chosen =
        one ? Map.of("view", "position") : Map.of("view", "position", "group", key);
    String suffix = one ? "" : "-" + key;
    String of = one ? "" : ", " + name;
    return List.of(
        figure(
            chosen,
            "context-sizes" + suffix,
            "Quality of SAEs by position" + of,
            bands(),
            x,
            quality),
        figure(
            chosen,
            "context-sizes-ce" + suffix,
            "Cross-entropy by position" + of,
            bands(),
            x,
            entropies(with, saes(saes, ContextRanges.INCREASE))));
  }

  private List<Series> saes(List<Integer> saes, int quantity) {
    List<Series> series = new ArrayList<>();
    for (int s : saes) {
      series.add(bySae(s, quantity, Style.ramp(series.size(), saes.size())));
    }
    return series;
  }

  private static Panel quality(int quantity, List<Series> series) {
    String label = QUALITY.get(quantity);
    return new Panel(
        SYMBOLS.get(quantity),
        series,
        Optional.empty(),
        Optional.of(new AxisSpec(label, SYMBOLS.get(quantity), AxisKind.LOG)));
  }

  private static List<Panel> entropies(List<Series> with, List<Series> increase) {
    return List.of(
        new Panel("cross-entropy", with, Optional.empty(), Optional.of(CE)),
        new Panel("increase", increase, Optional.empty(), Optional.of(INCREASE)));
  }

  /** Returns one SAE of each layer, of those that are given for it the middle one. */
  private List<Integer> middleOfLayers() {
    Map<Integer, List<Integer>> layers = new TreeMap<>();
    for (int s = 0; s < sizes.saes().size(); s++) {
      layers
          .computeIfAbsent(sizes.saes().get(s).reads().layer(), layer -> new ArrayList<>())
          .add(s);
    }
    return layers.values().stream().map(some -> some.get((some.size() - 1) / 2)).toList();
  }

  private List<Figure> byLayer(List<Integer> saes) {
    List<Panel> quality = new ArrayList<>();
    for (int q = 0; q < QUALITY.size(); q++) {
      quality.add(quality(q, positions(saes, q)));
    }
    String which =
        "SAEs: "
            + String.join(", ", saes.stream().map(s -> sizes.saes().get(s).name()).toList())
            + "; means over "
            + rows
            + " rows, intervals are in the table";
    AxisSpec x = new AxisSpec("layer", "layer", AxisKind.LINEAR).whole();
    return List.of(
        figure(
            Map.of("view", "layer"),
            "context-layers",
            "Quality of SAEs by layer",
            which,
            x,
            quality),
        figure(
            Map.of("view", "layer"),
            "context-layers-ce",
            "Cross-entropy by layer",
            which,
            x,
            entropies(
                positions(saes, ContextRanges.SAE_CE), positions(saes, ContextRanges.INCREASE))));
  }

  private List<Series> positions(List<Integer> saes, int quantity) {
    List<Series> series = new ArrayList<>();
    for (int p = 0; p < shown.length; p++) {
      List<Value> points = new ArrayList<>();
      for (int s : saes) {
        double mean = ranges.shown(s, quantity, p).value();
        points.add(Value.at(sizes.saes().get(s).reads().layer(), mean));
      }
      series.add(new Series("position " + (shown[p] + 1), "", Style.ramp(p, shown.length), points));
    }
    return series;
  }

  private Figure errors() {
    List<Series> series = new ArrayList<>();
    for (int s = 0; s < sizes.saes().size(); s++) {
      List<Value> points = new ArrayList<>();
      for (int p = 0; p < shown.length; p++) {
        double norm = ranges.shown(s, ClozeLayout.NORM, p).value();
        points.add(Value.at(norm, ranges.shown(s, ClozeLayout.SQUARED_ERROR, p).value()));
      }
      points.sort(Comparator.comparingDouble(Value::x));
      Style style = Style.ramp(s, sizes.saes().size());
      series.add(new Series(sizes.saes().get(s).name(), "", style, Trace.MARKS, points));
    }
    return figure(
        Map.of("view", "norm"),
        "context-errors",
        "Errors against norms of activations",
        "A point is a position of those shown by position; means over " + rows + " rows",
        new AxisSpec("norm ‖x‖ (model units)", "norm", AxisKind.LOG),
        List.of(
            new Panel(
                "",
                series,
                Optional.empty(),
                Optional.of(new AxisSpec("squared error (model units²)", "error", AxisKind.LOG)))));
  }

  private Figure figure(
      Map<String, String> chosen,
      String name,
      String title,
      String subtitle,
      AxisSpec x,
      List<Panel> panels) {
    AxisSpec y = panels.getFirst().ownY().orElseThrow();
    return new Figure(chosen, name, new Chart(title, subtitle, source, x, y, panels));
  }
}
