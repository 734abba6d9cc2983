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
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.robustness.RobustnessLayout.Columns;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessMeans.ComparedSae;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The figures that set SAEs against random vectors. */
final class RobustnessSaeFigures {
  /** Bins with a smaller share of an SAE's positions are not drawn. */
  private static final double SMALLEST_SHARE = 0.005;

  private final RobustnessMeans means;
  private final RobustnessLayout sizes;
  private final String source;

  RobustnessSaeFigures(RobustnessMeans means, String source) {
    this.means = means;
    this.sizes = means.sizes();
    this.source = source;
  }

  private String bands() {
    return "; bands: 95 % bootstrap intervals over " + means.rows() + " rows";
  }

  private String norm(int ratio) {
    return Numbers.brief(sizes.ratios().get(ratio)) + "·‖x‖";
  }

  private Value at(ComparedSae sae, int replacement, RobustnessView view) {
    double cosine = means.mean(means.fact(sae.index(), Fact.COSINE), view.positions()).value();
    return RobustnessView.value(
        1 - cosine,
        means.mean(means.sae(sae.index(), replacement, view.readout()), view.positions()));
  }

  private Map<HookPoint, List<ComparedSae>> byPoint() {
    Map<HookPoint, List<ComparedSae>> points = new TreeMap<>();
    means.saes().forEach(s -> points.computeIfAbsent(s.point(), p -> new ArrayList<>()).add(s));
    return points;
  }

  /** Returns SAEs next to random vectors on one pair of axes. */
  Figures saes() {
    List<Figure> figures = new ArrayList<>();
    for (RobustnessView view :
        means.saes().isEmpty() ? List.<RobustnessView>of() : RobustnessView.all()) {
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
        RobustnessView.choices(),
        figures);
  }

  private Panel saePanel(HookPoint point, List<ComparedSae> some, RobustnessView view) {
    List<Series> series = new ArrayList<>();
    int turned = sizes.points().indexOf(point);
    for (int r = 0; turned >= 0 && r < sizes.ratios().size(); r++) {
      List<Value> values = new ArrayList<>();
      for (int c = 0; c < sizes.cosines().size(); c++) {
        if (sizes.cosines().get(c) < 1) {
          Columns columns = means.random(turned, r, c, view.readout());
          values.add(
              RobustnessView.value(
                  1 - sizes.cosines().get(c), means.mean(columns, view.positions())));
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

  private List<Value> marks(List<ComparedSae> some, int replacement, RobustnessView view) {
    return some.stream()
        .map(sae -> at(sae, replacement, view))
        .sorted(Comparator.comparingDouble(Value::x))
        .toList();
  }

  /** Returns the ratio of KL by the cosine at the position. */
  Figures bins() {
    List<Figure> figures = new ArrayList<>();
    List<Panel> panels = new ArrayList<>();
    Map<String, List<ComparedSae>> groups = new LinkedHashMap<>();
    means
        .saes()
        .forEach(
            s ->
                groups
                    .computeIfAbsent(
                        s.family() + " SAEs at " + s.point(), group -> new ArrayList<>())
                    .add(s));
    groups.forEach(
        (group, some) -> {
          List<ComparedSae> ordered =
              some.stream()
                  .sorted(
                      Comparator.comparingDouble(
                          s -> means.mean(means.fact(s.index(), Fact.L0), Positions.ALL).value()))
                  .toList();
          List<Series> series = new ArrayList<>();
          for (int rank = 0; rank < ordered.size(); rank++) {
            ComparedSae sae = ordered.get(rank);
            series.add(
                new Series(sae.name(), "", Style.ramp(rank, ordered.size()), ratios(sae.index())));
          }
          panels.add(new Panel(group, series, Optional.empty()));
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
        values.add(RobustnessView.value(1 - cosine, ratio));
      }
    }
    return values;
  }
}
