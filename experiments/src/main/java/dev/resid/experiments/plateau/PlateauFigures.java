package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.Curve.Role;
import dev.resid.experiments.plateau.CurveColumns.Metric;
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
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The published figures: curves, distributions of steps, and plateaus around starts. */
final class PlateauFigures {
  /** Prompts whose curves are shown, as in the publication. */
  private static final int EXAMPLES = 3;

  /** Most bins of a histogram, as in the publication. */
  private static final int BINS = 30;

  /** Last activation-plateau step that is shown, as in the publication. */
  private static final int LAST_PLATEAU = 40;

  private static final List<TargetKind> PUBLISHED =
      List.of(
          TargetKind.MODEL_GENERATED,
          TargetKind.RANDOM,
          TargetKind.SYNTHETIC_BASELINE,
          TargetKind.SYNTHETIC_STRUCTURED);

  private static final AxisSpec STEPS = new AxisSpec("step n", "n", AxisKind.LINEAR).whole();
  private static final AxisSpec L2 =
      new AxisSpec("L2 at the last resid_post (model units)", "L2", AxisKind.LINEAR);
  private static final AxisSpec KL =
      new AxisSpec("KL(original‖perturbed) (nats)", "KL (nats)", AxisKind.LINEAR);
  private static final AxisSpec JS =
      new AxisSpec("Jensen-Shannon distance of predictions", "JS distance", AxisKind.LINEAR);
  private static final AxisSpec PROMPTS =
      new AxisSpec("prompts", "prompts", AxisKind.LINEAR).whole();
  private static final AxisSpec PART =
      new AxisSpec("part of the prompts up to n", "part", AxisKind.LINEAR);

  private final PlateauResult result;
  private final String source;

  /**
   * Prepares the figures.
   *
   * @param result what is drawn
   * @param source model, data and run, for every figure
   */
  PlateauFigures(PlateauResult result, String source) {
    this.result = result;
    this.source = source;
  }

  /** Returns the sections of the report that have something to show. */
  List<Figures> sections() {
    List<Figures> sections = new ArrayList<>();
    sections.add(curves());
    sections.add(steps());
    if (result.curves().stream().anyMatch(curve -> curve.role() == Role.BASE)) {
      sections.add(plateaus());
    }
    return sections;
  }

  private Figures curves() {
    List<Figure> figures = new ArrayList<>();
    for (Regime regime : regimes()) {
      Map<String, String> chosen = Map.of("curves", regime.word());
      figures.add(new Figure(chosen, "fig1-examples-" + regime.word(), examples(regime)));
      figures.add(
          new Figure(
              chosen,
              "fig1-means-" + regime.word(),
              chart(
                  "Mean curves by target",
                  spacing(regime)
                      + "; bands: 95 % bootstrap intervals over "
                      + result.prompts()
                      + " prompts",
                  metrics().stream().map(metric -> means(regime, metric)).toList())));
    }
    return new Figures(
        "Curves",
        "How far the final activation and the prediction have moved at each step. Point at a curve,"
            + " or move the focus to a panel and use the arrow keys, to read values. Legend entries"
            + " hide and show curves.",
        List.of(new Choice("curves", "Steps", regimeOptions())),
        figures);
  }

  private Chart examples(Regime regime) {
    List<Panel> panels = new ArrayList<>();
    for (Metric metric : metrics()) {
      StepKind kind =
          switch (metric) {
            case L2 -> StepKind.MS_L2;
            case KL -> StepKind.MS_KL;
            case JS -> StepKind.MS_JS;
          };
      boolean told = result.statistics().contains(kind);
      List<Series> series = new ArrayList<>();
      List<Value> marks = new ArrayList<>();
      for (TargetKind target : List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM)) {
        Curve curve = new Curve(Role.TARGET, target, regime);
        for (int p = 0; result.has(curve) && p < Math.min(EXAMPLES, result.prompts()); p++) {
          double[] y = result.curve(p, curve, metric);
          List<Value> points = new ArrayList<>();
          for (int n = 0; n < y.length; n++) {
            points.add(Value.at(n, y[n]));
          }
          series.add(new Series(target.label(), "", style(target), Trace.CURVE, points));
          int step = told ? result.step(p, curve, kind) : -1;
          if (step >= 0) {
            marks.add(Value.at(step, y[Math.min(step, y.length - 1)]));
          }
        }
      }
      marks.sort(java.util.Comparator.comparingDouble(Value::x));
      if (told) {
        series.add(new Series("max-slope step", "", Style.BLACK_DOTTED, Trace.MARKS, marks));
      }
      panels.add(panel(series, metric));
    }
    return chart(
        "Example curves",
        spacing(regime) + "; the first " + Math.min(EXAMPLES, result.prompts()) + " prompts",
        panels);
  }

  private Panel means(Regime regime, Metric metric) {
    List<Series> series = new ArrayList<>();
    for (TargetKind kind : TargetKind.values()) {
      Curve curve = new Curve(Role.TARGET, kind, regime);
      if (result.has(curve)) {
        series.add(mean(curve, metric));
      }
    }
    return panel(series, metric);
  }

  private Series mean(Curve curve, Metric metric) {
    List<Value> points = new ArrayList<>();
    for (int n = 0; n < Regime.POINTS; n++) {
      Interval interval = result.interval(curve, metric, n);
      points.add(new Value(n, result.mean(curve, metric, n), interval.low(), interval.high()));
    }
    return new Series(curve.kind().label(), "", style(curve.kind()), Trace.CURVE, points);
  }

  private static Panel panel(List<Series> series, Metric metric) {
    return switch (metric) {
      case L2 -> new Panel("final activation", series, Optional.empty(), Optional.of(L2));
      case KL -> new Panel("prediction", series, Optional.empty(), Optional.of(KL));
      case JS -> new Panel("prediction, JS", series, Optional.empty(), Optional.of(JS));
    };
  }

  /** Returns what was read along ways to targets. */
  private List<Metric> metrics() {
    return result.curves().stream()
        .filter(curve -> curve.role() == Role.TARGET)
        .findFirst()
        .map(result::metrics)
        .orElseThrow();
  }

  private Figures steps() {
    List<TargetKind> others =
        Arrays.stream(TargetKind.values())
            .filter(kind -> kind == TargetKind.MODEL_GENERATED || !PUBLISHED.contains(kind))
            .toList();
    List<Figure> figures = new ArrayList<>();
    Map<String, String> statistics = new LinkedHashMap<>();
    for (StepKind kind : result.statistics()) {
      if (kind == StepKind.AP_L2) {
        continue; // a statistic of starts, which have a section of their own
      }
      statistics.put(kind.word(), kind.label());
      for (Regime regime : regimes()) {
        Map<String, String> chosen = Map.of("statistic", kind.word(), "steps", regime.word());
        String name = kind.word().replace('_', '-') + "-" + regime.word();
        distribution(kind, regime, PUBLISHED, "Steps by target")
            .ifPresent(chart -> figures.add(new Figure(chosen, "fig2-" + name, chart)));
        if (others.stream().anyMatch(o -> o.needsSae() && has(Role.TARGET, o, regime))) {
          distribution(kind, regime, others, "Steps by target, single features and unordered bags")
              .ifPresent(chart -> figures.add(new Figure(chosen, "fig-other-" + name, chart)));
        }
      }
    }
    return new Figures(
        "Where curves blow up",
        "One step for each prompt: where its curve is steepest (MS), where the area below it is"
            + " smallest against the triangle (AUC), or where it leaves its first line (NL).",
        List.of(
            new Choice("statistic", "Statistic", statistics),
            new Choice("steps", "Steps", regimeOptions())),
        figures);
  }

  private boolean has(Role role, TargetKind kind, Regime regime) {
    return result.has(new Curve(role, kind, regime));
  }

  private Optional<Chart> distribution(
      StepKind kind, Regime regime, List<TargetKind> kinds, String title) {
    List<Curve> curves =
        kinds.stream()
            .map(target -> new Curve(Role.TARGET, target, regime))
            .filter(curve -> result.has(curve) && result.counted(curve, kind) > 0)
            .toList();
    return curves.isEmpty()
        ? Optional.empty()
        : Optional.of(
            chart(
                title,
                capitalised(kind.meaning()) + ", " + spacing(regime),
                distributions(curves, kind, StepKind.MOST)));
  }

  /** Returns histogram and distribution function. */
  private List<Panel> distributions(List<Curve> curves, StepKind kind, int last) {
    int low = last;
    int high = 0;
    for (Curve curve : curves) {
      double[] counts = result.counts(curve, kind);
      for (int step = 0; step <= last; step++) {
        low = counts[step] > 0 ? Math.min(low, step) : low;
        high = counts[step] > 0 ? Math.max(high, step) : high;
      }
    }
    // Bins of whole steps: with broken widths one bin would hold more steps than the next.
    int width = (Math.max(0, high - low) + BINS) / BINS;
    List<Series> bars = new ArrayList<>();
    List<Series> parts = new ArrayList<>();
    for (Curve curve : curves) {
      double[] counts = result.counts(curve, kind);
      String name = curve.kind().label();
      Style style = style(curve.kind());
      List<Value> heights = new ArrayList<>();
      for (int from = low; from <= high; from += width) {
        double sum = 0;
        for (int step = from; step < Math.min(from + width, counts.length); step++) {
          sum += counts[step];
        }
        heights.add(Value.at(from, sum));
      }
      heights.add(Value.at(heights.getLast().x() + width, 0));
      bars.add(new Series(name, "", style, Trace.BARS, heights));
      double total = Arrays.stream(counts).sum();
      double below = 0;
      List<Value> function = new ArrayList<>();
      for (int step = 0; step <= last; step++) {
        below += counts[step];
        function.add(Value.at(step, below / total));
      }
      parts.add(new Series(name, "", style, Trace.STEPS, function));
    }
    return List.of(
        new Panel("histogram", bars, Optional.empty(), Optional.of(PROMPTS)),
        new Panel("distribution function", parts, Optional.empty(), Optional.of(PART)));
  }

  private Figures plateaus() {
    List<Curve> curves =
        result.curves().stream().filter(curve -> curve.role() == Role.BASE).toList();
    List<Series> means = new ArrayList<>();
    for (Curve curve : curves) {
      means.add(mean(curve, Metric.L2));
    }
    double threshold = result.scale().threshold();
    List<Figure> figures = new ArrayList<>();
    List<Curve> counted =
        curves.stream().filter(curve -> result.counted(curve, StepKind.AP_L2) > 0).toList();
    if (!counted.isEmpty()) {
      figures.add(
          new Figure(
              Map.of(),
              "fig3-plateaus",
              chart(
                  "Plateaus by start",
                  "First step at which L2 reaches "
                      + threshold
                      + "; towards random activations, absolute steps of "
                      + result.scale().step()
                      + "; steps up to "
                      + LAST_PLATEAU,
                  distributions(counted, StepKind.AP_L2, LAST_PLATEAU))));
    }
    figures.add(
        new Figure(
            Map.of(),
            "fig3-means",
            chart(
                "Mean curves by start",
                "Towards random activations, absolute steps of "
                    + result.scale().step()
                    + "; bands: 95 % bootstrap intervals",
                List.of(new Panel("final activation", means, guide(means), Optional.of(L2))))));
    return new Figures(
        "Plateaus around starts",
        "The way begins at a generated activation and leads to a random one: how far does it go"
            + " before the final activation has moved by "
            + threshold
            + "?",
        List.of(),
        figures);
  }

  /** Returns the step at which the mean curve of the first start reaches the threshold. */
  private Optional<Guide> guide(List<Series> means) {
    for (Value value : means.getFirst().points()) {
      if (value.y() >= result.scale().threshold()) {
        return Optional.of(
            new Guide(value.x(), means.getFirst().name() + " reaches the threshold"));
      }
    }
    return Optional.empty();
  }

  private Chart chart(String title, String subtitle, List<Panel> panels) {
    return new Chart(title, subtitle, source, STEPS, panels.getFirst().ownY().orElse(L2), panels);
  }

  private String spacing(Regime regime) {
    return switch (regime) {
      case ABSOLUTE -> "absolute steps of " + result.scale().step();
      case RELATIVE -> "relative steps of 1/99 of the way";
    };
  }

  private List<Regime> regimes() {
    return Arrays.stream(Regime.values())
        .filter(
            regime ->
                result.curves().stream()
                    .anyMatch(c -> c.role() == Role.TARGET && c.regime() == regime))
        .toList();
  }

  private Map<String, String> regimeOptions() {
    Map<String, String> options = new LinkedHashMap<>();
    regimes().forEach(regime -> options.put(regime.word(), regime.word()));
    return options;
  }

  private static String capitalised(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  private static Style style(TargetKind kind) {
    return switch (kind) {
      case MODEL_GENERATED -> Style.BLUE_SOLID;
      case RANDOM -> Style.VERMILION_SOLID;
      case SYNTHETIC_STRUCTURED -> Style.GREEN_SOLID;
      case SYNTHETIC_BASELINE -> Style.PURPLE_DASHED;
      case SAE_RECONSTRUCTION -> Style.BLUE_DASHED;
      case SINGLE_FEATURE -> Style.BLACK_DOTTED;
      case BAG_OF_FEATURES -> Style.VERMILION_DASHED;
      case SYNTHETIC_STRUCTURED_V1 -> Style.RAMP_5;
    };
  }
}
