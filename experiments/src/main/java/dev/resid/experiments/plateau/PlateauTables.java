package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.Curve.Role;
import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.sweep.Interval;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The numbers of a result as tables. */
final class PlateauTables {
  private static final Column ROLE =
      new Column(
          "role", Type.TEXT, "target: towards the kind; base: from the kind to a random one.");
  private static final Column KIND =
      new Column("kind", Type.TEXT, "What the generated end of the way is.");
  private static final Column REGIME =
      new Column("regime", Type.TEXT, "How points are spaced: absolute or relative.");

  private final PlateauResult result;

  PlateauTables(PlateauResult result) {
    this.result = result;
  }

  /** Returns one line for every way and step statistic. */
  ResultTable steps() {
    ResultTable table =
        new ResultTable(
            List.of(
                ROLE,
                KIND,
                REGIME,
                new Column("statistic", Type.TEXT, "Step statistic and what it is of."),
                new Column("mean", Type.NUMBER, "Mean step over prompts."),
                new Column("mean_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("mean_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("deviation", Type.NUMBER, "Standard deviation over prompts."),
                new Column("deviation_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("deviation_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column(
                    "ks", Type.NUMBER, "KS distance to the model-generated steps of that kind."),
                new Column("ks_low", Type.NUMBER, "Lower end of its 95 % interval."),
                new Column("ks_high", Type.NUMBER, "Upper end of its 95 % interval."),
                new Column("prompts", Type.WHOLE, "Prompts with at least two points on the way."),
                new Column("distance", Type.NUMBER, "Mean distance of the way's ends."),
                new Column(
                    "gpt2_small",
                    Type.TEXT,
                    "Published mean ± standard deviation for GPT-2 small.")));
    for (Curve curve : result.curves()) {
      for (StepKind kind : result.statistics()) {
        if (kind.isOf(curve) && result.counted(curve, kind) > 0) {
          add(table, curve, kind);
        }
      }
    }
    return table;
  }

  private void add(ResultTable table, Curve curve, StepKind kind) {
    Interval mean = result.interval(s -> s.mean(curve, kind));
    List<Object> cells = new ArrayList<>(names(curve));
    cells.add(kind.word());
    cells.add(result.value(s -> s.mean(curve, kind)));
    cells.add(mean.low());
    cells.add(mean.high());
    Interval deviation = result.interval(s -> s.deviation(curve, kind));
    double spread = result.value(s -> s.deviation(curve, kind));
    boolean spreads = Double.isFinite(spread); // not of a single prompt
    cells.add(spreads ? spread : 0);
    cells.add(spreads ? deviation.low() : 0);
    cells.add(spreads ? deviation.high() : 0);
    Curve real = new Curve(curve.role(), TargetKind.MODEL_GENERATED, curve.regime());
    boolean comparable = result.has(real) && result.counted(real, kind) > 0;
    Curve other = comparable ? real : curve;
    Interval ks = result.interval(s -> s.ks(curve, other, kind));
    cells.add(result.value(s -> s.ks(curve, other, kind)));
    cells.add(ks.low());
    cells.add(ks.high());
    cells.add(result.counted(curve, kind));
    cells.add(result.meanDistance(curve));
    cells.add(Published.of(curve, kind));
    table.add(cells.toArray());
  }

  /** Returns one line for every way, read-out and point. */
  ResultTable curves() {
    ResultTable table =
        new ResultTable(
            List.of(
                ROLE,
                KIND,
                REGIME,
                new Column(
                    "metric",
                    Type.TEXT,
                    "l2 in the model's own units, kl in nats, or js, a distance from 0 to 1."),
                new Column("step", Type.WHOLE, "Number of the point, from 0."),
                new Column("mean", Type.NUMBER, "Mean over prompts, those past the target too."),
                new Column("low", Type.NUMBER, "Lower end of the 95 % interval."),
                new Column("high", Type.NUMBER, "Upper end of the 95 % interval.")));
    for (Curve curve : result.curves()) {
      for (Metric metric : result.metrics(curve)) {
        for (int n = 0; n < Regime.POINTS; n++) {
          Interval interval = result.interval(curve, metric, n);
          List<Object> cells = new ArrayList<>(names(curve));
          cells.add(metric.name().toLowerCase(Locale.ROOT));
          cells.add((long) n);
          cells.add(result.mean(curve, metric, n));
          cells.add(interval.low());
          cells.add(interval.high());
          table.add(cells.toArray());
        }
      }
    }
    return table;
  }

  /** Returns one line for every prompt and way. */
  ResultTable prompts() {
    List<Column> columns =
        new ArrayList<>(
            List.of(
                new Column("prompt", Type.WHOLE, "Number of the prompt in the run, from 0."),
                ROLE,
                KIND,
                REGIME,
                new Column("distance", Type.NUMBER, "Distance of the way's ends."),
                new Column("points", Type.WHOLE, "Points before the target.")));
    for (StepKind kind : result.statistics()) {
      columns.add(
          new Column(
              kind.word(), Type.WHOLE, "The " + kind.meaning() + "; -1 where there is none."));
    }
    ResultTable table = new ResultTable(columns);
    for (int prompt = 0; prompt < result.prompts(); prompt++) {
      for (Curve curve : result.curves()) {
        List<Object> cells = new ArrayList<>();
        cells.add((long) prompt);
        cells.addAll(names(curve));
        cells.add(result.distance(prompt, curve));
        cells.add((long) result.kept(prompt, curve, Metric.L2).length);
        for (StepKind kind : result.statistics()) {
          cells.add(kind.isOf(curve) ? (long) result.step(prompt, curve, kind) : -1L);
        }
        table.add(cells.toArray());
      }
    }
    return table;
  }

  private static List<Object> names(Curve curve) {
    return List.of(
        curve.role() == Role.TARGET ? "target" : "base",
        curve.kind().word(),
        curve.regime().word());
  }
}
