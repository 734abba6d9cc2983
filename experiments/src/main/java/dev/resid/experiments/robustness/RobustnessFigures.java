package dev.resid.experiments.robustness;

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
import dev.resid.experiments.robustness.RobustnessLayout.Columns;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The figures of a result. */
final class RobustnessFigures {
  /** Bins with a smaller share of an SAE's positions are not drawn. */
  private static final double SMALLEST_SHARE = 0.005;

  private static final List<Style> SITE_STYLES =
      List.of(
          Style.VERMILION_SOLID,
          Style.BLUE_SOLID,
          Style.BLACK_DOTTED,
          Style.GREEN_SOLID,
          Style.PURPLE_DASHED);

  private final RobustnessMeans means;
  private final RobustnessLayout sizes;
  private final String source;

  RobustnessFigures(RobustnessMeans means, String source) {
    this.means = means;
    this.sizes = means.sizes();
    this.source = source;
  }

  /** Returns the short name of a site, such as {@code attn_out}. */
  static String name(Site site) {
    return site.suffix().replace("hook_", "");
  }

  private record View(Readout readout, Positions positions) {
    private String key() {
      return (readout.name() + "-" + positions.name()).toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private AxisSpec axis() {
      return readout == Readout.KL
          ? new AxisSpec("mean KL (nats)", "KL", AxisKind.LOG)
          : new AxisSpec("mean ΔCE (nats)", "ΔCE", AxisKind.SIGNED);
    }

    private String words() {
      return (readout == Readout.KL ? "Mean KL(original‖changed)" : "Mean change of cross-entropy")
          + (positions == Positions.ALL ? ", positions 0 to n−2" : ", positions 1 to n−2");
    }

    private Map<String, String> chosen() {
      return Map.of(
          "readout",
          readout.name().toLowerCase(Locale.ROOT),
          "positions",
          positions.name().toLowerCase(Locale.ROOT));
    }
  }

  private static List<View> views() {
    List<View> views = new ArrayList<>();
    for (Readout readout : Readout.values()) {
      for (Positions positions : Positions.values()) {
        views.add(new View(readout, positions));
      }
    }
    return views;
  }

  private static List<Choice> viewChoices() {
    Map<String, String> readouts = new LinkedHashMap<>();
    readouts.put("kl", "KL");
    readouts.put("delta_ce", "ΔCE");
    Map<String, String> positions = new LinkedHashMap<>();
    positions.put("all", "all");
    positions.put("without_first", "without position 0");
    return List.of(
        new Choice("readout", "Read-out", readouts),
        new Choice("positions", "Average over positions", positions));
  }

  private Choice ratioChoice() {
    Map<String, String> options = new LinkedHashMap<>();
    for (int r = 0; r < sizes.ratios().size(); r++) {
      options.put(String.valueOf(r), Numbers.brief(sizes.ratios().get(r)) + "·‖x‖");
    }
    return new Choice("ratio", "Norm of the replacement", options);
  }

  private String bands() {
    return "; bands: 95 % bootstrap intervals over " + means.rows() + " rows";
  }

  /** Returns KL and ΔCE against the cosine, and by layer. */
  Figures sites() {
    List<Choice> choices = new ArrayList<>(viewChoices());
    choices.add(ratioChoice());
    List<Figure> figures = new ArrayList<>();
    for (View view : views()) {
      for (int r = 0; r < sizes.ratios().size(); r++) {
        Map<String, String> chosen = new LinkedHashMap<>(view.chosen());
        chosen.put("ratio", String.valueOf(r));
        AxisKind kind = sizes.cosines().getLast() < 0 ? AxisKind.SIGNED : AxisKind.LINEAR;
        figures.add(
            new Figure(
                chosen,
                "cosine-" + view.key() + "-" + r,
                new Chart(
                    "Activations turned by an angle, norm " + norm(r),
                    view.words() + bands(),
                    source,
                    new AxisSpec("cosine with the activation", "cosine", kind),
                    view.axis(),
                    cosinePanels(view, r))));
        List<Panel> layers = layerPanels(view, r);
        if (!layers.isEmpty()) {
          figures.add(
              new Figure(
                  chosen,
                  "layer-" + view.key() + "-" + r,
                  new Chart(
                      "The same by layer, norm " + norm(r),
                      view.words() + bands(),
                      source,
                      new AxisSpec("layer", "layer", AxisKind.LINEAR),
                      view.axis(),
                      layers)));
        }
      }
    }
    return new Figures(
        "By site and layer",
        "Every position is replaced by a random vector with the given cosine to the activation and"
            + " the given norm. Symbols that are not connected are SAE reconstructions at their"
            + " mean cosine.",
        choices,
        figures);
  }

  private String norm(int ratio) {
    return Numbers.brief(sizes.ratios().get(ratio)) + "·‖x‖";
  }

  private Map<Site, List<Integer>> bySite() {
    Map<Site, List<Integer>> sites = new LinkedHashMap<>();
    for (int p = 0; p < sizes.points().size(); p++) {
      sites.computeIfAbsent(sizes.points().get(p).site(), s -> new ArrayList<>()).add(p);
    }
    return sites;
  }

  private List<Panel> cosinePanels(View view, int ratio) {
    List<Panel> panels = new ArrayList<>();
    bySite()
        .forEach(
            (site, points) -> {
              List<Series> series = new ArrayList<>();
              for (int rank = 0; rank < points.size(); rank++) {
                int point = points.get(rank);
                series.add(
                    new Series(
                        "layer " + sizes.points().get(point).layer(),
                        "",
                        Style.ramp(rank, points.size()),
                        curve(point, ratio, view)));
              }
              List<Value> marks =
                  means.saes().stream()
                      .filter(sae -> sae.point().site() == site)
                      .map(sae -> at(sae, RobustnessLayout.RECONSTRUCTION, view, XAxis.COSINE))
                      .sorted(Comparator.comparingDouble(Value::x))
                      .toList();
              if (!marks.isEmpty()) {
                series.add(new Series("SAE(x)", "", Style.VERMILION_SOLID, Trace.MARKS, marks));
              }
              panels.add(new Panel(name(site), series, Optional.empty()));
            });
    return panels;
  }

  /** What a horizontal axis shows. */
  private enum XAxis {
    COSINE,
    ONE_MINUS_COSINE
  }

  private Value at(ComparedSae sae, int replacement, View view, XAxis axis) {
    double cosine = means.mean(means.fact(sae.index(), Fact.COSINE), view.positions()).value();
    Estimate y = means.mean(means.sae(sae.index(), replacement, view.readout()), view.positions());
    return value(axis == XAxis.COSINE ? cosine : 1 - cosine, y);
  }

  private static Value value(double x, Estimate y) {
    return new Value(x, y.value(), y.interval().low(), y.interval().high());
  }

  private List<Value> curve(int point, int ratio, View view) {
    List<Value> values = new ArrayList<>();
    for (int c = sizes.cosines().size() - 1; c >= 0; c--) {
      Columns columns = means.random(point, ratio, c, view.readout());
      values.add(value(sizes.cosines().get(c), means.mean(columns, view.positions())));
    }
    return values;
  }

  private List<Panel> layerPanels(View view, int ratio) {
    List<Integer> below = new ArrayList<>();
    for (int c = 0; c < sizes.cosines().size(); c++) {
      if (sizes.cosines().get(c) < 1) {
        below.add(c);
      }
    }
    List<Panel> panels = new ArrayList<>();
    if (below.isEmpty() || sizes.points().stream().map(HookPoint::layer).distinct().count() < 2) {
      return panels;
    }
    for (int c : List.of(0, below.size() / 2, below.size() - 1).stream().distinct().toList()) {
      int cosine = below.get(c);
      List<Series> series = new ArrayList<>();
      bySite()
          .forEach(
              (site, points) -> {
                List<Value> values = new ArrayList<>();
                for (int point :
                    points.stream()
                        .sorted(Comparator.comparing(p -> sizes.points().get(p).layer()))
                        .toList()) {
                  Columns columns = means.random(point, ratio, cosine, view.readout());
                  values.add(
                      value(
                          sizes.points().get(point).layer(),
                          means.mean(columns, view.positions())));
                }
                series.add(
                    new Series(
                        name(site),
                        "",
                        SITE_STYLES.get(series.size() % SITE_STYLES.size()),
                        values));
              });
      panels.add(
          new Panel(
              "cosine " + Numbers.brief(sizes.cosines().get(cosine)), series, Optional.empty()));
    }
    return panels;
  }

  private Map<HookPoint, List<ComparedSae>> byPoint() {
    Map<HookPoint, List<ComparedSae>> points = new TreeMap<>();
    means.saes().forEach(s -> points.computeIfAbsent(s.point(), p -> new ArrayList<>()).add(s));
    return points;
  }

  /** Returns SAEs next to random vectors on one pair of axes. */
  Figures saes() {
    List<Figure> figures = new ArrayList<>();
    for (View view : means.saes().isEmpty() ? List.<View>of() : views()) {
      List<Panel> panels = new ArrayList<>();
      byPoint().forEach((point, some) -> panels.add(saePanel(point, some, view)));
      figures.add(
          new Figure(
              view.chosen(),
              "saes-" + view.key(),
              new Chart(
                  "SAE reconstructions and random vectors at equal cosine",
                  view.words() + bands(),
                  source,
                  new AxisSpec("1 − cosine with the activation", "1 − cosine", AxisKind.LOG),
                  view.axis(),
                  panels)));
    }
    return new Figures(
        "SAEs against random vectors",
        "An SAE stands at its mean cosine. The random vectors beside it have, at every position,"
            + " the cosine and the norm of SAE(x); the curves have one cosine and one norm"
            + " everywhere.",
        viewChoices(),
        figures);
  }

  private Panel saePanel(HookPoint point, List<ComparedSae> some, View view) {
    List<Series> series = new ArrayList<>();
    int turned = sizes.points().indexOf(point);
    for (int r = 0; turned >= 0 && r < sizes.ratios().size(); r++) {
      List<Value> values = new ArrayList<>();
      for (int c = 0; c < sizes.cosines().size(); c++) {
        if (sizes.cosines().get(c) < 1) {
          Columns columns = means.random(turned, r, c, view.readout());
          values.add(value(1 - sizes.cosines().get(c), means.mean(columns, view.positions())));
        }
      }
      series.add(
          new Series("random, norm " + norm(r), "", Style.ramp(r, sizes.ratios().size()), values));
    }
    series.add(
        new Series(
            "random, cosine and norm of SAE(x)",
            "",
            Style.BLACK_DOTTED,
            Trace.MARKS,
            marks(some, RobustnessLayout.AT_ITS_NORM, view)));
    Map<String, List<ComparedSae>> families = new LinkedHashMap<>();
    some.forEach(s -> families.computeIfAbsent(s.family(), f -> new ArrayList<>()).add(s));
    List<Style> styles =
        List.of(Style.VERMILION_SOLID, Style.BLUE_SOLID, Style.GREEN_SOLID, Style.PURPLE_DASHED);
    families.forEach(
        (family, members) ->
            series.add(
                new Series(
                    "SAE(x), " + family,
                    "",
                    styles.get(new ArrayList<>(families.keySet()).indexOf(family) % styles.size()),
                    Trace.MARKS,
                    marks(members, RobustnessLayout.RECONSTRUCTION, view))));
    return new Panel(point.toString(), series, Optional.empty());
  }

  private List<Value> marks(List<ComparedSae> some, int replacement, View view) {
    return some.stream()
        .map(sae -> at(sae, replacement, view, XAxis.ONE_MINUS_COSINE))
        .sorted(Comparator.comparingDouble(Value::x))
        .toList();
  }

  /** Returns the ratio of KL by the cosine at the position. */
  Figures bins() {
    List<Figure> figures = new ArrayList<>();
    List<Panel> panels = new ArrayList<>();
    byPoint()
        .forEach(
            (point, some) -> {
              List<ComparedSae> ordered =
                  some.stream()
                      .sorted(
                          Comparator.comparingDouble(
                              s ->
                                  means
                                      .mean(means.fact(s.index(), Fact.L0), Positions.ALL)
                                      .value()))
                      .toList();
              List<Series> series = new ArrayList<>();
              for (int rank = 0; rank < ordered.size(); rank++) {
                ComparedSae sae = ordered.get(rank);
                series.add(
                    new Series(
                        sae.name(), "", Style.ramp(rank, ordered.size()), ratios(sae.index())));
              }
              panels.add(new Panel(point.toString(), series, Optional.empty()));
            });
    if (!panels.isEmpty()) {
      figures.add(
          new Figure(
              Map.of(),
              "bins",
              new Chart(
                  "SAE(x) against random vectors, by the cosine at the position",
                  "KL of SAE(x) over KL of random vectors of its cosine and norm, positions 1 to"
                      + " n−2"
                      + bands(),
                  source,
                  new AxisSpec("1 − cos(x, SAE(x)) at the position", "1 − cosine", AxisKind.LOG),
                  new AxisSpec("ratio of mean KL", "ratio", AxisKind.LOG),
                  panels)));
    }
    return new Figures(
        "By the cosine at each position",
        "Above 1 the SAE does more than a random vector. Bins of 1 − cosine, six a decade; those"
            + " with less than half a percent of the positions are left out.",
        List.of(),
        figures);
  }

  private List<Value> ratios(int sae) {
    List<Value> values = new ArrayList<>();
    for (int bin = RobustnessLayout.BINS - 1; bin >= 0; bin--) {
      int at = bin;
      double count = means.sum(means.bin(sae, bin, RobustnessLayout.BIN_COUNT));
      if (count <= SMALLEST_SHARE * means.restCount()) {
        continue;
      }
      double cosine = means.sum(means.bin(sae, bin, RobustnessLayout.BIN_COSINE)) / count;
      Estimate ratio = means.of(sums -> Math.exp(means.logRatio(sums, sae, at, at + 1)));
      if (Double.isFinite(ratio.value())) {
        values.add(value(1 - cosine, ratio));
      }
    }
    return values;
  }
}
