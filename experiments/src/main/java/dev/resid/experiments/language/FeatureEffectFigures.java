package dev.resid.experiments.language;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Histograms of mean effects and scores, one an SAE. */
final class FeatureEffectFigures {
  /** Where the logarithmic axis begins, so that a bin of one feature can be seen. */
  private static final double BELOW_ONE = 0.5;

  private final FeatureEffectResult result;
  private final String source;

  FeatureEffectFigures(FeatureEffectResult result, String source) {
    this.result = result;
    this.source = source;
  }

  Figures histograms() {
    Map<String, String> what = new LinkedHashMap<>();
    what.put("effect", "mean effect");
    what.put("score", "score");
    Map<String, String> saes = new LinkedHashMap<>();
    List<Figure> figures = new ArrayList<>();
    for (int s = 0; s < result.saes().size(); s++) {
      String key = String.valueOf(s);
      saes.put(key, result.saes().get(s).name());
      figures.add(
          new Figure(
              Map.of("sae", key, "quantity", "effect"),
              "effect-" + s,
              chart(
                  s,
                  "Mean effect of features",
                  new AxisSpec("mean effect (nats)", "mean effect", AxisKind.SIGNED),
                  result.effects(s).length == 0
                      ? Optional.empty()
                      : Optional.of(FeatureHistogram.of(result.effects(s))))));
      figures.add(
          new Figure(
              Map.of("sae", key, "quantity", "score"),
              "score-" + s,
              chart(
                  s,
                  "Score of features",
                  new AxisSpec("score (prompts)", "score", AxisKind.SIGNED).whole(),
                  result.scores(s).length == 0
                      ? Optional.empty()
                      : Optional.of(FeatureHistogram.ofWhole(result.scores(s))))));
    }
    return new Figures(
        "Histograms",
        "Features that are active in at least one prompt, "
            + FeatureHistogram.BINS
            + " bins (scores: at most as many, of whole numbers), counts on a logarithmic axis.",
        List.of(new Choice("sae", "SAE", saes), new Choice("quantity", "Quantity", what)),
        figures);
  }

  private Chart chart(int s, String title, AxisSpec x, Optional<FeatureHistogram> histogram) {
    return new Chart(
        title + ", " + result.saes().get(s).name(),
        result.features(s).length + " features active in at least one prompt",
        source,
        x,
        new AxisSpec("features in a bin", "features", AxisKind.LOG).whole(),
        List.of(
            new Panel(
                "",
                histogram.map(FeatureEffectFigures::bars).orElse(List.of()),
                Optional.of(new Guide(0, "0")))));
  }

  /** A series for each run of bins that hold something: a logarithmic axis has no 0. */
  private static List<Series> bars(FeatureHistogram histogram) {
    List<Series> series = new ArrayList<>();
    List<Value> run = new ArrayList<>();
    long[] counts = histogram.counts();
    for (int bin = 0; bin <= counts.length; bin++) {
      if (bin < counts.length && counts[bin] > 0) {
        run.add(Value.at(histogram.edge(bin), counts[bin]));
      } else if (!run.isEmpty()) {
        run.add(Value.at(histogram.edge(bin), BELOW_ONE));
        series.add(new Series("features", "", Style.BLUE_SOLID, Trace.BARS, run));
        run = new ArrayList<>();
      }
    }
    return series;
  }
}
