package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryPairs.Pair;
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
import dev.resid.sae.dictionary.Matches;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Histograms of the largest cosines of features, as the source shows them. */
final class CosineHistograms {
  private static final int BINS = 40;

  private final DictionaryMeans means;
  private final DictionaryPairs pairs;
  private final String source;

  CosineHistograms(DictionaryMeans means, DictionaryPairs pairs, String source) {
    this.means = means;
    this.pairs = pairs;
    this.source = source;
  }

  /** Which cosines. */
  private enum Kind {
    NEIGHBOURS("in the next denser SAE"),
    ASSIGNED("the same, one-to-one"),
    WITHIN("within the SAE");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  /** Returns all of them, a panel for each family at each point. */
  Figures figures() {
    Map<String, String> options = new LinkedHashMap<>();
    List<Figure> figures = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      List<Panel> panels = panels(kind);
      if (!panels.isEmpty()) {
        String key = kind.name().toLowerCase(java.util.Locale.ROOT);
        options.put(key, kind.words);
        figures.add(
            new Figure(Map.of("cosines", key), "cosine-histogram-" + key, chart(kind, panels)));
      }
    }
    return new Figures(
        "How many directions are shared",
        "Cosines above "
            + DictionaryPairs.SAME
            + ", to the right of the dashed line, count as the same direction.",
        List.of(new Choice("cosines", "Cosines", options)),
        figures);
  }

  private Chart chart(Kind kind, List<Panel> panels) {
    String title =
        switch (kind) {
          case NEIGHBOURS -> "Largest cosines with directions of the next denser SAE";
          case ASSIGNED -> "Cosines of one-to-one partners in the next denser SAE";
          case WITHIN -> "Cosines of nearest other directions within an SAE";
        };
    return new Chart(
        title,
        "Features by cosine, in bins of " + 1.0 / BINS,
        source,
        new AxisSpec("cosine", "cosine", AxisKind.SIGNED),
        new AxisSpec("features in a bin", "features", AxisKind.LINEAR).whole(),
        panels);
  }

  private List<Panel> panels(Kind kind) {
    List<Panel> panels = new ArrayList<>();
    means
        .groups()
        .forEach(
            (group, some) -> {
              List<Series> series = new ArrayList<>();
              for (int i = kind == Kind.WITHIN ? 0 : 1; i < some.size(); i++) {
                int from = kind == Kind.WITHIN ? some.get(i) : some.get(i - 1);
                int to = some.get(i);
                String own = name(from);
                String name = kind == Kind.WITHIN ? own : own + " in " + name(to);
                Style style =
                    Style.ramp(series.size(), kind == Kind.WITHIN ? some.size() : some.size() - 1);
                pairs
                    .get(from, to)
                    .flatMap(pair -> cosines(pair, kind))
                    .ifPresent(
                        cosines ->
                            series.add(new Series(name, "", style, Trace.BARS, bars(cosines))));
              }
              if (!series.isEmpty()) {
                panels.add(
                    new Panel(group, series, Optional.of(new Guide(DictionaryPairs.SAME, ""))));
              }
            });
    return panels;
  }

  private String name(int sae) {
    return means.sizes().saes().get(sae).name();
  }

  private static Optional<double[]> cosines(Pair pair, Kind kind) {
    return kind == Kind.ASSIGNED
        ? pair.assigned().map(Matches::cosines)
        : Optional.of(pair.plain().cosines());
  }

  /** Returns the counts of bins, from the first one that holds something to the last. */
  private static List<Value> bars(double... cosines) {
    double low = Math.floor(Arrays.stream(cosines).min().orElse(0) * BINS);
    double high = Math.floor(Arrays.stream(cosines).max().orElse(0) * BINS);
    int[] counts = new int[(int) (Math.min(high, BINS - 1) - low) + 1];
    for (double cosine : cosines) {
      int bin = (int) (Math.floor(cosine * BINS) - low);
      counts[Math.clamp(bin, 0, counts.length - 1)]++; // rounding may leave a cosine above 1
    }
    List<Value> values = new ArrayList<>();
    for (int bin = 0; bin < counts.length; bin++) {
      values.add(Value.at((low + bin) / BINS, counts[bin]));
    }
    values.add(Value.at((low + counts.length) / BINS, 0));
    return values;
  }
}
