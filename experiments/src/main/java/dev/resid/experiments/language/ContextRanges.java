package dev.resid.experiments.language;

import dev.resid.experiments.report.Chart;
import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Means over ranges of positions, with intervals over rows: of SAEs, and of the clean model. */
final class ContextRanges {
  private static final String SAE = "sae";
  private static final String NORM = "norm";
  private static final String CE = "ce";

  /** Columns of the table of SAEs, in the order of the numbers. */
  private static final List<String> NAMES =
      List.of(
          "l0",
          "l1",
          "squared_error",
          "norm",
          "error",
          "reconstruction_norm",
          "cosine",
          "sae_ce_nats",
          "delta_ce_nats");

  /** Number of the cross-entropy with an SAE, after those of {@link ClozeLayout}. */
  static final int SAE_CE = ClozeLayout.QUANTITIES + SaeQuality.FITS;

  /** Number of what the SAE adds to the cross-entropy. */
  static final int INCREASE = SAE_CE + 1;

  private final ContextSizes sizes;
  private final RowLayout from;

  /** The ranges of the tables, then single positions of the figures. */
  private final List<PositionRange> ranges;

  private final RowLayout layout;
  private final Estimates estimates;

  /**
   * Takes means.
   *
   * @param sizes of the run
   * @param values as {@link ContextSizes#layout} has them
   * @param shown positions of figures, from 0
   * @param seed of the resamples
   * @param workers share the resamples
   */
  ContextRanges(ContextSizes sizes, RowValues values, int[] shown, long seed, Workers workers) {
    this.sizes = sizes;
    this.from = sizes.layout();
    this.ranges = new ArrayList<>(sizes.ranges());
    for (int pos : shown) {
      ranges.add(new PositionRange(pos + 1, pos + 1));
    }
    this.layout =
        RowLayout.empty()
            .with(SAE, sizes.saes().size(), NAMES.size(), ranges.size())
            .with(NORM, sizes.allPoints().size(), ranges.size())
            .with(CE, ranges.size());
    RowValues means = new RowValues(values.rows(), layout.count());
    for (int row = 0; row < values.rows(); row++) {
      means.set(row, means(values, row));
    }
    this.estimates = new Estimates(means, RowStudy.RESAMPLES, seed, workers);
  }

  private double[] means(RowValues values, int row) {
    double[] means = new double[layout.count()];
    for (int r = 0; r < ranges.size(); r++) {
      PositionRange range = ranges.get(r);
      for (int pos = range.from() - 1; pos < range.to(); pos++) {
        means[layout.index(CE, r)] +=
            values.get(row, from.index(ContextStudy.CE, pos)) / range.length();
        for (int p = 0; p < sizes.allPoints().size(); p++) {
          means[layout.index(NORM, p, r)] +=
              values.get(row, from.index(ContextStudy.NORM, p, pos)) / range.length();
        }
        for (int s = 0; s < sizes.saes().size(); s++) {
          for (int q = 0; q < NAMES.size(); q++) {
            means[layout.index(SAE, s, q, r)] += value(values, row, s, q, pos) / range.length();
          }
        }
      }
    }
    return means;
  }

  private double value(RowValues values, int row, int s, int q, int pos) {
    if (q < ClozeLayout.QUANTITIES) {
      return values.get(row, from.index(ContextStudy.QUALITY, s, q, pos));
    }
    if (q < SAE_CE) {
      return values.get(row, from.index(ContextStudy.FIT, s, q - ClozeLayout.QUANTITIES, pos));
    }
    double with = values.get(row, from.index(ContextStudy.SAE_CE, s, pos));
    return q == INCREASE ? with - values.get(row, from.index(ContextStudy.CE, pos)) : with;
  }

  /** Returns a quantity of an SAE at a position of the figures. */
  Estimate shown(int sae, int quantity, int position) {
    return estimates.mean(layout.index(SAE, sae, quantity, sizes.ranges().size() + position));
  }

  /** Returns the clean model's cross-entropy at a position of the figures. */
  Estimate shownCe(int position) {
    return estimates.mean(layout.index(CE, sizes.ranges().size() + position));
  }

  /** Returns one line an SAE and range. */
  ResultTable saes() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("sae", Type.TEXT, "Which SAE."));
    columns.add(new Column("point", Type.TEXT, "Where it is put."));
    positions(columns);
    NAMES.forEach(name -> interval(columns, name));
    ResultTable table = new ResultTable(columns);
    for (int s = 0; s < sizes.saes().size(); s++) {
      SaeFacts sae = sizes.saes().get(s);
      for (int r = 0; r < sizes.ranges().size(); r++) {
        List<Object> cells = new ArrayList<>();
        cells.add(sae.name());
        cells.add(sae.reads().name());
        cells.add((long) ranges.get(r).from());
        cells.add((long) ranges.get(r).to());
        for (int q = 0; q < NAMES.size(); q++) {
          add(cells, estimates.mean(layout.index(SAE, s, q, r)));
        }
        table.add(cells.toArray());
      }
    }
    return table;
  }

  /** Returns one line an activation and range: its norm, and the model's cross-entropy there. */
  ResultTable clean() {
    List<Column> columns = new ArrayList<>();
    columns.add(new Column("point", Type.TEXT, "Whose norm it is."));
    positions(columns);
    interval(columns, "norm");
    interval(columns, "ce_nats");
    ResultTable table = new ResultTable(columns);
    for (int p = 0; p < sizes.allPoints().size(); p++) {
      for (int r = 0; r < sizes.ranges().size(); r++) {
        List<Object> cells = new ArrayList<>();
        cells.add(sizes.allPoints().get(p).name());
        cells.add((long) ranges.get(r).from());
        cells.add((long) ranges.get(r).to());
        add(cells, estimates.mean(layout.index(NORM, p, r)));
        add(cells, estimates.mean(layout.index(CE, r)));
        table.add(cells.toArray());
      }
    }
    return table;
  }

  private static void positions(List<Column> columns) {
    columns.add(new Column("from", Type.WHOLE, "First position of the mean, from 1."));
    columns.add(new Column("to", Type.WHOLE, "Its last position, included."));
  }

  private static void interval(List<Column> columns, String name) {
    columns.add(new Column(name, Type.NUMBER, "Mean over rows and these positions."));
    columns.add(new Column(name + "_low", Type.NUMBER, "Lower end of its 95 % interval."));
    columns.add(new Column(name + "_high", Type.NUMBER, "Upper end of its 95 % interval."));
  }

  private static void add(List<Object> cells, Estimate estimate) {
    cells.add(estimate.value());
    cells.add(estimate.interval().low());
    cells.add(estimate.interval().high());
  }

  /** Returns the figures of the clean model: norms and cross-entropy at the shown positions. */
  Figures figures(String source) {
    List<Series> norms = new ArrayList<>();
    int points = sizes.allPoints().size();
    for (int p = 0; p < points; p++) {
      HookPoint point = sizes.allPoints().get(p);
      norms.add(new Series(point.name(), "", Style.ramp(p, points), shown(NORM, p)));
    }
    Series ce = new Series("clean model", "", Style.ramp(0, 1), shown(CE));
    return new Figures(
        "The clean model by position",
        "Point at a curve to read values.",
        List.of(),
        List.of(
            figure("clean-norm", "norm", AxisKind.LOG, norms, source),
            figure("clean-ce", "cross-entropy (nats)", AxisKind.SIGNED, List.of(ce), source)));
  }

  private List<Value> shown(String name, int... at) {
    List<Value> values = new ArrayList<>();
    for (int r = sizes.ranges().size(); r < ranges.size(); r++) {
      int column = at.length == 0 ? layout.index(name, r) : layout.index(name, at[0], r);
      Estimate mean = estimates.mean(column);
      values.add(
          new Value(
              ranges.get(r).from(), mean.value(), mean.interval().low(), mean.interval().high()));
    }
    return values;
  }

  private Figure figure(
      String name, String quantity, AxisKind kind, List<Series> series, String source) {
    return new Figure(
        Map.of(),
        name,
        new Chart(
            quantity + " by position",
            "Mean over " + estimates.rows() + " rows; bands: 95 % bootstrap intervals over rows",
            source,
            new AxisSpec("position in the context, from 1", "position", AxisKind.LOG).whole(),
            new AxisSpec(quantity, quantity, kind),
            List.of(new Panel("", series, Optional.empty()))));
  }

  /** Returns the norm at the first position minus the mean of the others that are shown. */
  Estimate firstAboveOthers(int point) {
    int first = layout.index(NORM, point, sizes.ranges().size());
    int others = ranges.size() - sizes.ranges().size() - 1;
    return estimates.of(
        sums -> {
          double rest = 0;
          for (int k = 1; k <= others; k++) {
            rest += sums[first + k] / others;
          }
          return (sums[first] - rest) / estimates.rows();
        });
  }
}
