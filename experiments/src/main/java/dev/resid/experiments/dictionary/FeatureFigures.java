package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.FeatureMeans.Group;
import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;

/** The figures on single features. */
final class FeatureFigures {
  /** Where a logarithmic axis of counts begins, so that a bin of one can be seen. */
  private static final double BELOW_ONE = 0.5;

  private static final List<Style> STYLES =
      List.of(
          Style.VERMILION_SOLID,
          Style.BLUE_SOLID,
          Style.GREEN_SOLID,
          Style.PURPLE_DASHED,
          Style.BLACK_DOTTED);

  private final Settings notes;
  private final FeatureMeans means;
  private final String source;

  FeatureFigures(Settings notes, FeatureMeans means, String source) {
    this.notes = notes;
    this.means = means;
    this.source = source;
  }

  /** Returns all of them. */
  List<Figures> all() {
    return List.of(examples(), lens(), norms(), texts(), previous());
  }

  private Figures one(String heading, String intro, String name, Chart chart) {
    boolean empty = chart.panels().stream().allMatch(panel -> panel.series().isEmpty());
    return new Figures(
        heading, intro, List.of(), empty ? List.of() : List.of(new Figure(Map.of(), name, chart)));
  }

  private Figures examples() {
    return one(
        "Examples over the range of activations",
        "The range of every feature is cut into "
            + FeatureLayout.BINS
            + " equal bins and one example drawn from each.",
        "examples-by-bin",
        new Chart(
            "Do weaker examples show the tokens of the strongest?",
            "Share of examples whose token is also one of the "
                + FeatureSweep.TOP
                + " most active ones', which are left out; bands: 95 % bootstrap intervals over"
                + " features",
            source,
            new AxisSpec("activation, in percent of the largest", "activation", AxisKind.LINEAR),
            new AxisSpec("share of examples", "share", AxisKind.LINEAR),
            List.of(
                panel(
                    FeatureLayout.BINS,
                    (group, bin) -> group.mean("bin_hits", "bin_n", bin),
                    bin -> 100 * (bin + 0.5) / FeatureLayout.BINS))));
  }

  private Figures lens() {
    List<Panel> panels = new ArrayList<>();
    means
        .groups()
        .forEach(
            (name, group) -> {
              List<Value> values = new ArrayList<>();
              for (int unit : group.units()) {
                if (means.get(unit, "lens_n") > 0 && means.get(unit, "effect_n") > 0) {
                  values.add(
                      Value.at(means.get(unit, "lens"), means.ratio(unit, "effect", "effect_n")));
                }
              }
              values.sort(Comparator.comparingDouble(Value::x));
              if (!values.isEmpty()) {
                panels.add(
                    new Panel(
                        name,
                        List.of(new Series("features", "", Style.BLUE_SOLID, Trace.MARKS, values)),
                        Optional.empty()));
              }
            });
    if (panels.isEmpty()) {
      return new Figures("Logit lens and ablation", "", List.of(), List.of());
    }
    return one(
        "Logit lens and ablation",
        "To the right features whose direction promotes what follows where they are active more"
            + " than what follows elsewhere; below 0 features without which the true next token is"
            + " less likely.",
        "lens-and-ablation",
        new Chart(
            "What a feature promotes, and what it is worth",
            "One symbol a feature; the change is that of the next token where the feature is"
                + " active",
            source,
            new AxisSpec("lens of the next token (standard deviations)", "lens", AxisKind.SIGNED),
            new AxisSpec("change of ln p without it (nats)", "change", AxisKind.SIGNED),
            panels));
  }

  /** Returns the histogram from which one chooses what the lens leaves out. */
  private Figures norms() {
    double[] counts = notes.numbers("norm_counts");
    double low = notes.numbers("norm_edges")[0];
    double width = notes.numbers("norm_edges")[1];
    double[] limits = notes.numbers("norm_limits");
    List<Series> bars = new ArrayList<>();
    List<Value> run = new ArrayList<>();
    // A series for each run of bins that hold something: a logarithmic axis has no 0.
    for (int bin = 0; bin <= counts.length; bin++) {
      double edge = low + bin * width;
      if (bin < counts.length && counts[bin] > 0) {
        run.add(Value.at(edge, counts[bin]));
      } else if (!run.isEmpty()) {
        run.add(Value.at(edge, BELOW_ONE));
        bars.add(new Series("tokens", "", Style.BLUE_SOLID, Trace.BARS, run));
        run = new ArrayList<>();
      }
    }
    double last = low + counts.length * width;
    boolean above = limits[1] <= last;
    Optional<Guide> limit =
        above
            ? Optional.of(new Guide(limits[1], "left out above"))
            : limits[0] >= low
                ? Optional.of(new Guide(limits[0], "left out below"))
                : Optional.empty();
    return one(
        "Norms of the unembedding",
        "Tokens that the model never learnt are told by their norm, and left out of the logit lens:"
            + " "
            + notes.whole("masked")
            + " of this model's "
            + Numbers.grouped((long) Arrays.stream(counts).sum())
            + ", those below "
            + Numbers.significant(limits[0], 3)
            + " or above "
            + Numbers.significant(limits[1], 3)
            + ".",
        "unembedding-norms",
        new Chart(
            "Norms of the columns of W_U",
            "Tokens by ‖W_U[:, v]‖, counts on a logarithmic axis",
            source,
            new AxisSpec("‖W_U[:, v]‖ (model units)", "‖W_U[:, v]‖", AxisKind.LINEAR),
            new AxisSpec("tokens in a bin", "tokens", AxisKind.LOG).whole(),
            List.of(new Panel("", bars, limit))));
  }

  private Figures texts() {
    return one(
        "Ablated text",
        "Texts of at most "
            + FeatureLayout.TEXT_TOKENS
            + " tokens that end where the feature is active; one token at a time is removed, the"
            + " first one of the text never.",
        "ablated-text",
        new Chart(
            "What an activation owes to the tokens before",
            "Mean change of the activation at the last token; bands: 95 % bootstrap intervals over"
                + " features",
            source,
            new AxisSpec(
                    "distance of the removed token from the last one", "distance", AxisKind.LINEAR)
                .whole(),
            new AxisSpec("change of the activation, as a share of it", "change", AxisKind.SIGNED),
            List.of(
                panel(
                    FeatureLayout.DISTANCES,
                    (group, distance) -> group.mean("change", distance),
                    distance -> (double) distance))));
  }

  private Panel panel(
      int points,
      BiFunction<Group, Integer, Estimate> number,
      java.util.function.IntToDoubleFunction x) {
    List<Series> series = new ArrayList<>();
    means
        .groups()
        .forEach(
            (name, group) -> {
              List<Value> values = new ArrayList<>();
              for (int i = 0; i < points; i++) {
                Estimate y = number.apply(group, i);
                if (Double.isFinite(y.value())) {
                  values.add(
                      new Value(
                          x.applyAsDouble(i), y.value(), y.interval().low(), y.interval().high()));
                }
              }
              if (!values.isEmpty()) {
                series.add(new Series(name, "", STYLES.get(series.size() % STYLES.size()), values));
              }
            });
    return new Panel("", series, Optional.empty());
  }

  private Figures previous() {
    List<Series> series = new ArrayList<>();
    means
        .groups()
        .forEach(
            (name, group) -> {
              List<Double> shares =
                  group.units().stream()
                      .filter(unit -> means.get(unit, "previous_n") > 0)
                      .map(unit -> means.ratio(unit, "previous", "previous_n"))
                      .sorted()
                      .toList();
              List<Value> values = new ArrayList<>();
              for (int i = 0; i < shares.size(); i++) {
                values.add(Value.at(100.0 * (i + 0.5) / shares.size(), shares.get(i)));
              }
              if (!values.isEmpty()) {
                series.add(
                    new Series(
                        name, "", STYLES.get(series.size() % STYLES.size()), Trace.CURVE, values));
              }
            });
    return one(
        "Features of the previous word",
        "The word before the last token is removed, all its tokens at once.",
        "previous-word",
        new Chart(
            "What is left without the word before",
            "Features sorted by the mean change of their activation at the last token",
            source,
            new AxisSpec("features, in percent", "percent", AxisKind.LINEAR),
            new AxisSpec("change of the activation, as a share of it", "change", AxisKind.SIGNED),
            List.of(new Panel("", series, Optional.empty()))));
  }
}
