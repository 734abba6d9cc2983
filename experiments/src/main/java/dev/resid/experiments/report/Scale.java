package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Marked;
import java.util.ArrayList;
import java.util.List;

/**
 * Maps numbers to a stretch of an axis, and chooses round numbers to mark on it.
 *
 * @param kind linear or logarithmic
 * @param min number at the beginning
 * @param max number at the end
 * @param ticks numbers with a label and a grid line
 */
record Scale(AxisKind kind, double min, double max, List<Tick> ticks) {
  private static final int WANTED_TICKS = 6;

  /** Length of the longest axis of whole numbers on which each is marked. */
  private static final int MOST_ONES = 12;

  /** Largest ratio of numbers on a logarithmic axis that is marked like a linear one. */
  private static final double NARROW = 2;

  /** A number with what is written at it. */
  record Tick(double value, String label) {}

  /**
   * Returns a scale that holds the values.
   *
   * @param axis linear, which begins at 0 or is signed, or logarithmic; or with names
   * @param values numbers to hold; with a logarithmic scale only positive ones count
   */
  static Scale holding(AxisSpec axis, List<Double> values) {
    if (!axis.names().isEmpty()) {
      return named(axis.names());
    }
    return switch (axis.kind()) {
      case LINEAR -> linear(values, axis.marked());
      case SIGNED -> signed(values, axis.marked());
      case LOG -> log(values, axis.marked());
    };
  }

  /** Returns a scale of numbers that may have any value. */
  static Scale holding(AxisKind kind, List<Double> values) {
    return holding(new AxisSpec("", "", kind), values);
  }

  private static Scale named(List<String> names) {
    List<Tick> ticks = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      ticks.add(new Tick(i + 1, names.get(i)));
    }
    return new Scale(AxisKind.LINEAR, 0.4, names.size() + 0.6, ticks);
  }

  private static Scale signed(List<Double> values, Marked marked) {
    double min = Math.min(0, values.stream().mapToDouble(v -> v).min().orElse(0));
    double max = Math.max(0, values.stream().mapToDouble(v -> v).max().orElse(0));
    double range = max > min ? max - min : 1;
    double step = step(range, marked);
    double margin = 0.04 * range;
    List<Tick> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil((min - margin) / step); i * step <= max + margin; i++) {
      ticks.add(new Tick(i * step, Numbers.rounded(i == 0 ? 0 : i * step, step)));
    }
    return new Scale(AxisKind.SIGNED, min - margin, max + margin, ticks);
  }

  private static Scale linear(List<Double> values, Marked marked) {
    double max = values.stream().mapToDouble(v -> v).max().orElse(1);
    max = max > 0 ? max : 1;
    double step = step(max, marked);
    int n = (int) Math.ceil(max / step - 1e-9);
    List<Tick> ticks = new ArrayList<>();
    for (int i = 0; i <= n; i++) {
      ticks.add(new Tick(i * step, Numbers.rounded(i * step, step)));
    }
    // The last tick may lie beyond the data; a nearly empty step is cut off.
    boolean cut = n > 1 && max < (n - 0.6) * step;
    if (cut) {
      ticks.removeLast();
    }
    return new Scale(AxisKind.LINEAR, 0, cut ? max * 1.02 : Math.max(n * step, max), ticks);
  }

  /** Returns the distance of ticks on a linear axis of some length. */
  private static double step(double range, Marked marked) {
    if (marked == Marked.ANY) {
      return niceStep(range / WANTED_TICKS);
    }
    if (range <= MOST_ONES) {
      return 1;
    }
    double step = niceStep(range / WANTED_TICKS);
    return step == 2.5 ? 5 : Math.max(1, step);
  }

  private static double niceStep(double raw) {
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    for (double factor : new double[] {1, 2, 2.5, 5}) {
      if (raw <= factor * power * (1 + 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static Scale log(List<Double> values, Marked marked) {
    double min = values.stream().mapToDouble(v -> v).filter(v -> v > 0).min().orElse(0.1);
    double max = values.stream().mapToDouble(v -> v).filter(v -> v > 0).max().orElse(1);
    if (max / min < NARROW) {
      return narrow(min, max, marked);
    }
    double decades = Math.log10(max / min);
    int stepDecades = (int) Math.max(1, Math.ceil(decades / WANTED_TICKS));
    double[] factors = decades < 1 ? new double[] {1, 2, 3, 5, 7} : new double[] {1, 2, 5};
    List<Tick> ticks = new ArrayList<>();
    int first = (int) Math.floor(Math.log10(min)) - 1;
    int last = (int) Math.ceil(Math.log10(max)) + 1;
    for (int decade = first; decade <= last; decade++) {
      for (double factor : decades < 2.3 ? factors : new double[] {1}) {
        double value = factor * Math.pow(10, decade);
        boolean inside = value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9);
        boolean may = marked == Marked.ANY || value > 0.999;
        if (inside && may && Math.floorMod(decade, stepDecades) == 0) {
          ticks.add(new Tick(value, Numbers.power(value)));
        }
      }
    }
    double margin = Math.pow(max / min, 0.03);
    return new Scale(AxisKind.LOG, min / margin, max * margin, ticks);
  }

  /** A logarithmic axis whose numbers are about equal: ticks at equal differences. */
  private static Scale narrow(double min, double max, Marked marked) {
    double margin = Math.max(1.01, Math.pow(max / min, 0.03));
    double low = min / margin;
    double high = max * margin;
    double step = step(high - low, marked);
    List<Tick> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step); i * step <= high; i++) {
      ticks.add(new Tick(i * step, Numbers.rounded(i * step, step)));
    }
    return new Scale(AxisKind.LOG, low, high, ticks);
  }

  /** Returns whether a number can be shown. */
  boolean shows(double value) {
    return kind != AxisKind.LOG || value > 0;
  }

  /** Returns where a number lies: 0 at the beginning of the axis, 1 at its end. */
  double part(double value) {
    return kind != AxisKind.LOG
        ? (value - min) / (max - min)
        : Math.log(value / min) / Math.log(max / min);
  }

  /** Returns the number at a place of the axis: 0 is its beginning, 1 its end. */
  double at(double part) {
    return kind != AxisKind.LOG
        ? min + part * (max - min)
        : min * Math.exp(part * Math.log(max / min));
  }
}
