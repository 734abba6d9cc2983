package dev.resid.experiments.sensitivity;

import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sensitivity.RowColumns.Positions;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Means over all rows, and the same means over each bootstrap resample of the rows. */
final class SensitivityResult {
  private final List<SweptDirection> kinds;
  private final double[] lengths;
  private final RowColumns columns;
  private final Estimates estimates;
  private final Moved moved;

  private SensitivityResult(
      List<SweptDirection> kinds,
      double[] lengths,
      RowColumns columns,
      Estimates estimates,
      Moved moved) {
    this.kinds = kinds;
    this.lengths = lengths;
    this.columns = columns;
    this.estimates = estimates;
    this.moved = moved;
  }

  /**
   * Returns the result of a complete sweep.
   *
   * @param kinds directions in the order of the columns
   * @param lengths in the order of the columns
   * @param moved positions that were perturbed
   * @param values complete
   * @param bootstrap how to resample
   * @param workers share the resamples
   */
  static SensitivityResult of(
      List<SweptDirection> kinds,
      double[] lengths,
      Moved moved,
      RowValues values,
      Bootstrap bootstrap,
      Workers workers) {
    RowColumns columns = new RowColumns(kinds.size(), lengths.length);
    Estimates estimates = new Estimates(values, bootstrap, workers);
    for (int d = 0; d < kinds.size(); d++) {
      int column = columns.firstCount(d);
      if (estimates.value(sums -> sums[column]) == 0) {
        throw new IllegalStateException(
            kinds.get(d).name()
                + " exists in none of the "
                + values.rows()
                + " rows: there is never a feature to draw from; leave this direction out, or use"
                + " more text");
      }
    }
    return new SensitivityResult(List.copyOf(kinds), lengths.clone(), columns, estimates, moved);
  }

  /** Returns which positions a mean is over, in words. */
  String where(Positions positions) {
    if (moved instanceof Moved.One one) {
      return "position " + one.position();
    }
    return positions == Positions.ALL ? "positions 0 to n−2" : "positions 1 to n−2";
  }

  /** Returns the directions. */
  List<SweptDirection> kinds() {
    return kinds;
  }

  /** Returns the lengths. */
  double[] lengths() {
    return lengths.clone();
  }

  /** Returns the number of rows. */
  int rows() {
    return estimates.rows();
  }

  /** Returns a mean over positions of all rows. */
  double mean(SweptDirection kind, int length, Metric metric, Positions positions) {
    return value(means -> means.get(kind, length, metric, positions));
  }

  /** Returns the bootstrap interval of a mean. */
  Interval interval(SweptDirection kind, int length, Metric metric, Positions positions) {
    return interval(means -> means.get(kind, length, metric, positions));
  }

  /** A number that depends on means. */
  @FunctionalInterface
  interface Statistic {
    /**
     * Returns the number.
     *
     * @param means the means it may use, of all rows or of a resample
     */
    double of(Means means);
  }

  /** Means by direction and length. */
  @FunctionalInterface
  interface Means {
    /** Returns a mean. */
    double get(SweptDirection kind, int length, Metric metric, Positions positions);
  }

  /** Returns a number of all rows. */
  double value(Statistic statistic) {
    return estimates.value(sums -> statistic.of(means(sums)));
  }

  /** Returns the bootstrap interval of a number; all its means are of the same resample. */
  Interval interval(Statistic statistic) {
    return estimate(statistic).interval();
  }

  /** Returns a number with its interval, over the resamples that have the directions it is of. */
  Estimate estimate(Statistic statistic) {
    return estimates.of(sums -> statistic.of(means(sums)));
  }

  private long count(int column) {
    return Math.round(estimates.value(sums -> sums[column]));
  }

  private Means means(double[] some) {
    return (kind, length, metric, positions) ->
        columns.mean(some, kinds.indexOf(kind), length, metric, positions);
  }

  /**
   * Returns one line a direction and length.
   *
   * @param meanDistance of two real activations, the unit of the second length column
   */
  ResultTable table(double meanDistance) {
    List<Column> names = new ArrayList<>();
    names.add(new Column("direction", Type.TEXT, "Kind of direction."));
    names.add(new Column("sae", Type.TEXT, "The SAE whose direction it is; empty for others."));
    names.add(
        new Column("length", Type.NUMBER, "Perturbation length α, in the model's own units."));
    names.add(
        new Column(
            "length_in_mean_distances",
            Type.NUMBER,
            "α divided by the mean distance of two real activations."));
    for (Positions positions : Positions.values()) {
      for (Metric metric : Metric.values()) {
        String name = name(metric, positions);
        String meaning = meaning(metric, positions);
        names.add(new Column(name, Type.NUMBER, meaning + "."));
        names.add(
            new Column(
                name + "_low", Type.NUMBER, "Lower end of the 95 % interval of " + name + "."));
        names.add(
            new Column(
                name + "_high", Type.NUMBER, "Upper end of the 95 % interval of " + name + "."));
      }
    }
    names.add(new Column("rows", Type.WHOLE, "Rows averaged over: those that have the direction."));
    names.add(new Column("positions", Type.WHOLE, "Positions averaged over, position 0 included."));
    ResultTable table = new ResultTable(names);
    for (SweptDirection kind : kinds) {
      int direction = kinds.indexOf(kind);
      long rowCount = count(columns.firstCount(direction));
      long rest = count(columns.restCount(direction));
      long positionCount = moved instanceof Moved.One ? rowCount : rowCount + rest;
      for (int l = 0; l < lengths.length; l++) {
        List<Object> cells = new ArrayList<>();
        cells.add(kind.kindName());
        cells.add(kind.saeName());
        cells.add(lengths[l]);
        cells.add(lengths[l] / meanDistance);
        for (Positions positions : Positions.values()) {
          for (Metric metric : Metric.values()) {
            Interval interval = interval(kind, l, metric, positions);
            cells.add(mean(kind, l, metric, positions));
            cells.add(interval.low());
            cells.add(interval.high());
          }
        }
        cells.add(rowCount);
        cells.add(positionCount);
        table.add(cells.toArray());
      }
    }
    return table;
  }

  /** Returns one line a direction and two neighbouring lengths: the power of α between them. */
  ResultTable exponents() {
    List<Column> names = new ArrayList<>();
    names.add(new Column("direction", Type.TEXT, "Kind of direction."));
    names.add(new Column("sae", Type.TEXT, "The SAE whose direction it is; empty for others."));
    names.add(new Column("from", Type.NUMBER, "The shorter length, in the model's own units."));
    names.add(new Column("to", Type.NUMBER, "The longer length."));
    for (Metric metric : Metric.values()) {
      String name = metric.name().toLowerCase(Locale.ROOT);
      names.add(
          new Column(
              name,
              Type.NUMBER,
              "Δ ln / Δ ln α of " + name(metric, Positions.ALL) + " between the two lengths."));
      names.add(new Column(name + "_low", Type.NUMBER, "Lower end of its 95 % interval."));
      names.add(new Column(name + "_high", Type.NUMBER, "Upper end of its 95 % interval."));
    }
    ResultTable table = new ResultTable(names);
    for (SweptDirection kind : kinds) {
      for (int l = 1; l < lengths.length; l++) {
        List<Object> cells = new ArrayList<>();
        cells.add(kind.kindName());
        cells.add(kind.saeName());
        cells.add(lengths[l - 1]);
        cells.add(lengths[l]);
        for (Metric metric : Metric.values()) {
          Statistic power = power(kind, l, metric);
          Interval interval = interval(power);
          cells.add(value(power));
          cells.add(interval.low());
          cells.add(interval.high());
        }
        table.add(cells.toArray());
      }
    }
    return table;
  }

  /** Returns the power of α between a length, which is not the first, and the one before. */
  Statistic power(SweptDirection kind, int length, Metric metric) {
    double step = Math.log(lengths[length] / lengths[length - 1]);
    return means -> {
      double before = means.get(kind, length - 1, metric, Positions.ALL);
      double after = means.get(kind, length, metric, Positions.ALL);
      return before > 0 && after > 0 ? Math.log(after / before) / step : 0;
    };
  }

  private static String name(Metric metric, Positions positions) {
    String base =
        switch (metric) {
          case KL -> "kl_nats";
          case L2 -> "l2";
        };
    return positions == Positions.ALL ? base : base + "_without_first";
  }

  private String meaning(Metric metric, Positions positions) {
    String what =
        switch (metric) {
          case KL -> "Mean KL(original‖perturbed) in nats";
          case L2 -> "Mean Euclidean distance at the last resid_post, in the model's own units";
        };
    return what + ", over " + where(positions) + " of every row";
  }
}
