package dev.resid.experiments.language;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.JointPlot;
import dev.resid.experiments.report.JointPlot.Axes;
import dev.resid.experiments.report.ParallelPlot;
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
import java.util.function.IntToDoubleFunction;

/** The figures of a result: strips, lines over layers, and scatters by prompt. */
final class ClozeFigures {
  /** Prompts that are drawn one by one. */
  private static final int DRAWN = 400;

  /** Letters of a prompt's end that are shown where it is pointed at. */
  private static final int NAME_LENGTH = 32;

  private static final List<String> CLASSES =
      List.of("both right", "clean run only", "with SAE only", "neither");
  private static final List<Style> CLASS_STYLES =
      List.of(Style.GREEN_SOLID, Style.VERMILION_SOLID, Style.BLUE_SOLID, Style.PURPLE_DASHED);

  private final ClozeResult result;
  private final String source;

  ClozeFigures(ClozeResult result, String source) {
    this.result = result;
    this.source = source;
  }

  private int drawn() {
    return Math.min(DRAWN, result.prompts());
  }

  /** Returns Δ ln p of every prompt at every SAE. */
  Figures strips() {
    Map<String, String> what = new LinkedHashMap<>();
    what.put("dlnp", "Δ ln p of the answer");
    what.put("norm", "norm of the activation");
    List<Figure> figures = new ArrayList<>();
    for (String key : what.keySet()) {
      boolean norm = key.equals("norm");
      figures.add(new Figure(Map.of("strip", key), "strip-" + key, strip(norm)));
      if (result.saes().size() > 1) {
        figures.add(new Figure(Map.of("strip", key), "lines-" + key, lines(norm)));
      }
    }
    return new Figures(
        "By SAE",
        "Each point or line is a prompt"
            + (result.prompts() > DRAWN ? "; the first " + DRAWN + " prompts are drawn." : ".")
            + " Point at one to read which.",
        List.of(new Choice("strip", "Quantity", what)),
        figures);
  }

  private AxisSpec saeAxis() {
    return AxisSpec.of("SAE", "SAE", result.saes().stream().map(SaeFacts::name).toList());
  }

  /** Returns what a prompt is called where it is pointed at. */
  private String name(int row) {
    String text = result.prompt(row).text();
    int cut = text.length() - NAME_LENGTH;
    return "prompt " + row + ": " + (cut > 0 ? "…" + text.substring(cut) : text);
  }

  private double quantity(boolean norm, int row, int sae) {
    return norm
        ? result.ofPrompt(row, sae, ClozeLayout.NORM)
        : result.get(row, ClozeLayout.DELTA_LN_P, sae);
  }

  private static AxisSpec axis(boolean norm) {
    return norm
        ? new AxisSpec("mean ‖x‖ of a prompt (model units)", "‖x‖", AxisKind.LOG)
        : new AxisSpec("Δ ln p (nats)", "Δ ln p", AxisKind.SIGNED);
  }

  private Chart strip(boolean norm) {
    List<Value> points = new ArrayList<>();
    List<Value> means = new ArrayList<>();
    for (int s = 0; s < result.saes().size(); s++) {
      for (int row = 0; row < drawn(); row++) {
        // Spread sideways by a fixed sequence, so that points do not hide each other.
        double aside = ((row * 0.618034) % 1 - 0.5) * 0.5;
        points.add(Value.named(name(row), s + 1 + aside, quantity(norm, row, s)));
      }
      if (!norm) {
        Estimate mean = result.mean(ClozeLayout.DELTA_LN_P, s);
        means.add(new Value(s + 1, mean.value(), mean.interval().low(), mean.interval().high()));
      }
    }
    points.sort(Comparator.comparingDouble(Value::x));
    List<Series> series = new ArrayList<>();
    series.add(new Series("prompts", "", Style.BLUE_SOLID, Trace.MARKS, points));
    if (!norm) {
      series.add(new Series("mean of all prompts", "", Style.VERMILION_SOLID, Trace.MARKS, means));
    }
    return new Chart(
        norm ? "Norm of the activation" : "Change of the answer's log-probability",
        norm
            ? "Mean over a prompt's positions, first included"
            : "With the SAE minus without; bars: 95 % bootstrap intervals of the mean",
        source,
        saeAxis(),
        axis(norm),
        List.of(new Panel("", series, Optional.empty())));
  }

  /** A line a prompt over SAEs, in the colour of its number at the first SAE. */
  private ParallelPlot lines(boolean norm) {
    List<ParallelPlot.Thread> lines = new ArrayList<>();
    for (int row = 0; row < drawn(); row++) {
      List<Double> values = new ArrayList<>();
      for (int s = 0; s < result.saes().size(); s++) {
        values.add(quantity(norm, row, s));
      }
      lines.add(new ParallelPlot.Thread(name(row), values.getFirst(), values));
    }
    String first = " at " + result.saes().getFirst().name();
    return new ParallelPlot(
        norm ? "Norm of the activation, prompt by prompt" : "Δ ln p, prompt by prompt",
        "A line is a prompt; its colour is its number" + first,
        source,
        saeAxis(),
        axis(norm),
        (norm ? "‖x‖ (model units)" : "Δ ln p (nats)") + first,
        lines);
  }

  /** Returns quantities of prompts against each other, by SAE. */
  Figures scatters() {
    Map<String, String> saes = new LinkedHashMap<>();
    Map<String, String> pairs = new LinkedHashMap<>();
    pairs.put("norm", "MSE, L0, L1, Δ ln p against relative norm");
    pairs.put("ce", "ΔCE against MSE and Δ ln p");
    List<Figure> figures = new ArrayList<>();
    for (int s = 0; s < result.saes().size(); s++) {
      String key = String.valueOf(s);
      saes.put(key, result.saes().get(s).name());
      int sae = s;
      double least =
          java.util.stream.IntStream.range(0, result.prompts())
              .mapToDouble(row -> result.ofPrompt(row, sae, ClozeLayout.NORM))
              .min()
              .orElseThrow();
      List<Panel> against =
          List.of(
              panel("normalised MSE", s, AxisKind.LOG, least, r -> result.normalizedMse(r, sae)),
              panel("L0", s, AxisKind.LOG, least, r -> result.ofPrompt(r, sae, ClozeLayout.L0)),
              panel("L1", s, AxisKind.LOG, least, r -> result.ofPrompt(r, sae, ClozeLayout.L1)),
              panel(
                  "Δ ln p (nats)",
                  s,
                  AxisKind.SIGNED,
                  least,
                  r -> result.get(r, ClozeLayout.DELTA_LN_P, sae)));
      figures.add(
          new Figure(
              Map.of("sae", key, "scatter", "norm"),
              "scatter-norm-" + s,
              new Chart(
                  "Against the norm, " + saes.get(key),
                  "A point is a prompt: means over its positions; norm divided by the smallest",
                  source,
                  new AxisSpec("‖x‖ / smallest ‖x‖", "norm", AxisKind.LOG),
                  new AxisSpec("", "", AxisKind.LINEAR),
                  against)));
      figures.add(
          new Figure(
              Map.of("sae", key, "scatter", "ce"), "scatter-ce-" + s, increase(s, saes.get(key))));
    }
    return new Figures(
        "Prompts",
        "Colours are classes: whether the clean run and the run with the SAE get the answer right.",
        List.of(new Choice("sae", "SAE", saes), new Choice("scatter", "Quantities", pairs)),
        figures);
  }

  private Panel panel(String name, int sae, AxisKind kind, double least, IntToDoubleFunction y) {
    return new Panel(
        name,
        classes(sae, row -> result.ofPrompt(row, sae, ClozeLayout.NORM) / least, y),
        Optional.empty(),
        Optional.of(new AxisSpec(name, name, kind)));
  }

  /** Returns the increase of the cross-entropy against two quantities, with their histograms. */
  private JointPlot increase(int sae, String name) {
    IntToDoubleFunction increase = row -> result.deltaCrossEntropy(row, sae);
    AxisSpec y = new AxisSpec("ΔCE (nats)", "ΔCE", AxisKind.SIGNED);
    return new JointPlot(
        "Increase of the prompt's cross-entropy, " + name,
        "A point is a prompt: mean increase over its tokens; histograms count "
            + (result.prompts() > DRAWN ? "the " + DRAWN + " prompts drawn" : "prompts"),
        source,
        "prompts",
        List.of(
            new Axes(
                "against the error",
                new AxisSpec("normalised MSE, logarithmic", "MSE", AxisKind.LOG),
                y,
                classes(sae, row -> result.normalizedMse(row, sae), increase)),
            new Axes(
                "against the answer's log-probability",
                new AxisSpec("Δ ln p of the answer (nats)", "Δ ln p", AxisKind.SIGNED),
                y,
                classes(sae, row -> result.get(row, ClozeLayout.DELTA_LN_P, sae), increase))));
  }

  private List<Series> classes(int sae, IntToDoubleFunction x, IntToDoubleFunction y) {
    List<Series> series = new ArrayList<>();
    for (int c = 0; c < CLASSES.size(); c++) {
      List<Value> points = new ArrayList<>();
      for (int row = 0; row < drawn(); row++) {
        if (result.classOf(row, sae) == c) {
          Value value = Value.named(name(row), x.applyAsDouble(row), y.applyAsDouble(row));
          if (Double.isFinite(value.x()) && Double.isFinite(value.y())) {
            points.add(value);
          }
        }
      }
      points.sort(Comparator.comparingDouble(Value::x));
      series.add(new Series(CLASSES.get(c), "", CLASS_STYLES.get(c), Trace.MARKS, points));
    }
    return series;
  }
}
