package dev.resid.experiments.patch;

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
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/** The figures of a result. */
final class PatchFigures {
  /** Pairs that get figures of their own. */
  private static final int SHOWN_PAIRS = 4;

  private static final String SHARE = "share of clean − corrupted brought back";

  private final PatchMeans means;
  private final PatchLabels labels;
  private final String source;

  PatchFigures(PatchMeans means, PatchLabels labels, String source) {
    this.means = means;
    this.labels = labels;
    this.source = source;
  }

  /**
   * Returns the choice of pairs: means if they can be taken, then single ones. Its key is that of
   * one section, because each chooses for itself.
   */
  private Choice pairs(String section) {
    Map<String, String> options = new LinkedHashMap<>();
    if (!labels.common().isEmpty() && means.pairs() > 1) {
      options.put("-1", "mean of " + means.pairs());
    }
    for (int pair = 0; pair < Math.min(SHOWN_PAIRS, means.pairs()); pair++) {
      options.put(String.valueOf(pair), labels.pairs().get(pair));
    }
    return new Choice(section + "-pair", "Prompts (clean/corrupted)", options);
  }

  private String named(int pair) {
    return pair < 0
        ? "mean over " + means.pairs() + " pairs"
        : labels.pairs().get(pair) + ", " + labels.answers().get(pair);
  }

  private List<String> positions(int pair) {
    return pair < 0 ? labels.common() : labels.positions().get(pair);
  }

  private static List<String> numbers(int n) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      names.add(String.valueOf(i));
    }
    return names;
  }

  private static List<List<Double>> table(int rows, int columns, Cell cell) {
    List<List<Double>> table = new ArrayList<>();
    for (int r = 0; r < rows; r++) {
      List<Double> row = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        row.add(cell.at(r, c));
      }
      table.add(row);
    }
    return table;
  }

  /** A number of a table. */
  @FunctionalInterface
  private interface Cell {
    double at(int row, int column);
  }

  /** Returns the maps of patching and of attribution. */
  Figures patching() {
    Choice pairs = pairs("patching");
    Map<String, String> methods = new LinkedHashMap<>();
    methods.put("exact", "activation patching");
    methods.put("attributed", "attribution patching (gradient × difference)");
    List<Figure> figures = new ArrayList<>();
    for (String key : pairs.options().keySet()) {
      for (String method : methods.keySet()) {
        int pair = Integer.parseInt(key);
        boolean exact = method.equals("exact");
        figures.add(
            new Figure(
                Map.of(pairs.key(), key, "method", method),
                "patching-" + method + (pair < 0 ? "" : "-" + pair),
                new HeatMap(
                    exact ? "Activation patching" : "Attribution patching",
                    (exact
                            ? "One activation of the corrupted run has its clean value"
                            : "First-order estimate of the same")
                        + "; "
                        + named(pair),
                    source,
                    SHARE,
                    panels(pair, exact))));
      }
    }
    return new Figures(
        "Where the difference is",
        "Each cell is one run on the corrupted prompt in which one activation has its value from"
            + " the clean prompt. Blue brings the clean answer back, vermilion drives it further"
            + " away. Point at a cell to read its value.",
        List.of(pairs, new Choice("method", "Method", methods)),
        figures);
  }

  private List<Cells> panels(int pair, boolean exact) {
    PatchLayout sizes = means.sizes();
    List<String> positions = positions(pair);
    List<Cells> panels = new ArrayList<>();
    for (Site site : PatchLayout.SITES) {
      String name = exact ? PatchLayout.exact(site) : PatchLayout.attributed(site);
      panels.add(
          new Cells(
              site.suffix(),
              "block",
              numbers(sizes.layers()),
              "position",
              positions,
              table(
                  sizes.layers(),
                  positions.size(),
                  (layer, pos) -> means.share(pair, name, layer, pos))));
    }
    panels.add(
        new Cells(
            exact ? "attn.hook_z, all positions at once" : "attn.hook_z, sum over positions",
            "block",
            numbers(sizes.layers()),
            "head",
            numbers(sizes.heads()),
            table(sizes.layers(), sizes.heads(), (layer, head) -> head(pair, exact, layer, head))));
    return panels;
  }

  private double head(int pair, boolean exact, int layer, int head) {
    if (exact) {
      return means.share(pair, PatchLayout.WHOLE_HEAD, layer, head);
    }
    double sum = 0;
    for (int pos = 0; pos < means.sizes().positions(); pos++) {
      sum += means.share(pair, PatchLayout.attributed(Site.Z), layer, pos, head);
    }
    return sum;
  }

  /** Returns attribution against patching. */
  Figures scatter() {
    Map<String, String> sites = new LinkedHashMap<>();
    List<Figure> figures = new ArrayList<>();
    for (Site site : List.of(Site.RESID_PRE, Site.ATTN_OUT, Site.MLP_OUT, Site.Z)) {
      String key = site.name().toLowerCase(java.util.Locale.ROOT);
      sites.put(key, site.suffix());
      List<Value> points = new ArrayList<>();
      double low = 0;
      double high = 0;
      double gap = means.raw(-1, PatchLayout.CLEAN) - means.raw(-1, PatchLayout.CORRUPTED);
      for (int[] cell : means.cells(site)) {
        double x = means.estimates().mean(cell[0]).value() / gap;
        double y = means.estimates().mean(cell[1]).value() / gap;
        points.add(Value.at(x, y));
        low = Math.min(low, Math.min(x, y));
        high = Math.max(high, Math.max(x, y));
      }
      points.sort(java.util.Comparator.comparingDouble(Value::x));
      Estimate r = means.estimates().of(means.correlation(site));
      figures.add(
          new Figure(
              Map.of("site", key),
              "attribution-" + key.replace('_', '-'),
              new Chart(
                  "Attribution against activation patching, " + site.suffix(),
                  "A point is a block, position"
                      + (site == Site.Z ? " and head" : "")
                      + "; mean over "
                      + means.pairs()
                      + " pairs; correlation "
                      + r.text(3),
                  source,
                  new AxisSpec("activation patching (" + SHARE + ")", "exact", AxisKind.SIGNED),
                  new AxisSpec("attribution patching (same unit)", "estimate", AxisKind.SIGNED),
                  List.of(
                      new Panel(
                          site.suffix(),
                          List.of(
                              new Series(
                                  "equal",
                                  "",
                                  Style.BLACK_DOTTED,
                                  Trace.LINE,
                                  List.of(Value.at(low, low), Value.at(high, high))),
                              new Series("cells", "", Style.BLUE_SOLID, Trace.MARKS, points)),
                          Optional.empty())))));
    }
    return new Figures(
        "Attribution patching beside patching",
        "The estimate needs two forward passes and one backward pass for all cells together; the"
            + " exact value needs a run for each.",
        List.of(new Choice("site", "Site", sites)),
        figures);
  }

  /** Returns direct contributions to the readout. */
  Figures direct() {
    Choice pairs = pairs("direct");
    Map<String, String> runs = new LinkedHashMap<>();
    runs.put("difference", "clean − corrupted");
    runs.put("clean", "clean");
    runs.put("corrupted", "corrupted");
    List<Figure> figures = new ArrayList<>();
    for (String key : pairs.options().keySet()) {
      for (String run : runs.keySet()) {
        int pair = Integer.parseInt(key);
        IntFunction<Double> term = i -> term(pair, run, i);
        figures.add(
            new Figure(
                Map.of(pairs.key(), key, "run", run),
                "direct-" + run + (pair < 0 ? "" : "-" + pair),
                new HeatMap(
                    "Direct logit attribution, " + runs.get(run),
                    "What each part of the last residual stream adds to the logit difference at the"
                        + " last position; "
                        + named(pair),
                    source,
                    "logits",
                    directPanels(term))));
      }
    }
    return new Figures(
        "Direct logit attribution",
        "The final layer norm's scale is held at its value in the run, which makes the logit"
            + " difference a sum.",
        List.of(pairs, new Choice("run", "Run", runs)),
        figures);
  }

  private double term(int pair, String run, int i) {
    double clean = means.raw(pair, PatchLayout.DIRECT_CLEAN, i);
    double corrupted = means.raw(pair, PatchLayout.DIRECT_CORRUPTED, i);
    return switch (run) {
      case "clean" -> clean;
      case "corrupted" -> corrupted;
      default -> clean - corrupted;
    };
  }

  /** Terms stand in the order of {@link dev.resid.analysis.ResidualStack}: embeddings first. */
  private List<Cells> directPanels(IntFunction<Double> term) {
    int layers = means.sizes().layers();
    int heads = means.sizes().heads();
    Cells inBlocks =
        new Cells(
            "heads and MLPs",
            "block",
            numbers(layers),
            "head",
            withMlp(heads),
            table(layers, heads + 1, (layer, i) -> term.apply(2 + layer * (heads + 1) + i)));
    List<String> outside = List.of("embed", "pos_embed", "attn biases", "constant");
    int after = 2 + layers * (heads + 1);
    Cells rest =
        new Cells(
            "outside heads and MLPs",
            "",
            List.of("all"),
            "term",
            outside,
            table(1, 4, (row, i) -> term.apply(i < 2 ? i : after + i - 2)));
    return List.of(inBlocks, rest);
  }

  private static List<String> withMlp(int heads) {
    List<String> names = numbers(heads);
    names.add("MLP");
    return names;
  }

  /** Returns the logit lens by layer and position. */
  Figures lens() {
    Choice pairs = pairs("lens");
    Map<String, String> what = new LinkedHashMap<>();
    what.put("readout", "logit difference of the answers");
    what.put("kl", "KL from the final prediction");
    List<String> points = new ArrayList<>();
    for (int layer = 0; layer < means.sizes().layers(); layer++) {
      points.add(layer + " pre");
      points.add(layer + " mid");
    }
    points.add("final");
    List<Figure> figures = new ArrayList<>();
    for (String key : pairs.options().keySet()) {
      for (String quantity : what.keySet()) {
        int pair = Integer.parseInt(key);
        boolean kl = quantity.equals("kl");
        List<String> positions = positions(pair);
        Cells cells =
            new Cells(
                "resid_pre and resid_mid of every block",
                "point",
                points,
                "position",
                positions,
                table(
                    points.size(),
                    positions.size(),
                    (point, pos) ->
                        means.raw(pair, kl ? PatchLayout.LENS_KL : PatchLayout.LENS, point, pos)));
        figures.add(
            new Figure(
                Map.of(pairs.key(), key, "quantity", quantity),
                "lens-" + quantity + (pair < 0 ? "" : "-" + pair),
                new HeatMap(
                    "Logit lens, " + what.get(quantity),
                    "The clean run's stream through the final layer norm and the unembedding; "
                        + named(pair),
                    source,
                    kl ? "KL(final‖lens), nats" : "logit difference",
                    List.of(cells))));
      }
    }
    return new Figures(
        "Logit lens",
        "What the model would predict if it ended earlier.",
        List.of(pairs, new Choice("quantity", "Quantity", what)),
        figures);
  }
}
