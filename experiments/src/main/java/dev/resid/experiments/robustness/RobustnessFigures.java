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
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The figures over sites and layers. */
final class RobustnessFigures {
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
    List<Choice> choices = new ArrayList<>(RobustnessView.choices());
    choices.add(ratioChoice());
    List<Figure> figures = new ArrayList<>();
    for (RobustnessView view : RobustnessView.all()) {
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
                      new AxisSpec("layer", "layer", AxisKind.LINEAR).whole(),
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

  private List<Panel> cosinePanels(RobustnessView view, int ratio) {
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
                      .map(sae -> mark(sae, view))
                      .sorted(Comparator.comparingDouble(Value::x))
                      .toList();
              if (!marks.isEmpty()) {
                series.add(new Series("SAE(x)", "", Style.VERMILION_SOLID, Trace.MARKS, marks));
              }
              panels.add(new Panel(name(site), series, Optional.empty()));
            });
    return panels;
  }

  private Value mark(ComparedSae sae, RobustnessView view) {
    double cosine = means.mean(means.fact(sae.index(), Fact.COSINE), view.positions()).value();
    return RobustnessView.value(
        cosine,
        means.mean(
            means.sae(sae.index(), RobustnessLayout.RECONSTRUCTION, view.readout()),
            view.positions()));
  }

  private List<Value> curve(int point, int ratio, RobustnessView view) {
    List<Value> values = new ArrayList<>();
    for (int c = sizes.cosines().size() - 1; c >= 0; c--) {
      Columns columns = means.random(point, ratio, c, view.readout());
      values.add(
          RobustnessView.value(sizes.cosines().get(c), means.mean(columns, view.positions())));
    }
    return values;
  }

  private List<Panel> layerPanels(RobustnessView view, int ratio) {
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
                      RobustnessView.value(
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
}
