package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.sweep.Bootstrap;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Step statistics and mean curves of all prompts, and of each bootstrap resample of the prompts.
 * All numbers of one resample are of the same prompts, so that ways can be compared within it.
 */
final class PlateauResult {
  /** The part of resamples inside every interval. */
  static final double LEVEL = 0.95;

  /** A way of fewer points before its target has no step statistics. */
  private static final int FEWEST_POINTS = 2;

  private static final int LEFT_OUT = -1;

  private final RowValues values;
  private final CurveColumns columns;
  private final List<StepKind> statistics;
  private final Scale.Values scale;
  private final int[][] times;
  private final double[] sums;
  private final double[][] resampledSums;
  private final Map<Key, int[]> steps = new HashMap<>();
  private final Map<Key, double[][]> counts = new HashMap<>();

  private record Key(Curve curve, StepKind kind) {}

  /**
   * Computes what every number below needs.
   *
   * @param columns order of the numbers
   * @param statistics what is told of every way
   * @param values complete
   * @param scale lengths of the run
   * @param bootstrap how to resample
   * @param workers share the resamples
   */
  PlateauResult(
      CurveColumns columns,
      List<StepKind> statistics,
      RowValues values,
      Scale.Values scale,
      Bootstrap bootstrap,
      Workers workers) {
    this.values = values;
    this.columns = columns;
    this.statistics = List.copyOf(statistics);
    this.scale = scale;
    this.times = new int[bootstrap.resamples()][];
    workers.forEach(times.length, s -> times[s] = bootstrap.times(values.rows(), s));
    this.sums = Bootstrap.sums(values);
    this.resampledSums = bootstrap.resampledSums(values, workers);
    List<Key> keys = new ArrayList<>();
    for (Curve curve : columns.curves()) {
      for (StepKind kind : statistics) {
        if (kind.isOf(curve)) {
          keys.add(new Key(curve, kind));
        }
      }
    }
    int[][] found = new int[keys.size()][];
    double[][][] counted = new double[keys.size()][][];
    workers.forEach(
        keys.size(),
        k -> {
          found[k] = stepsOf(keys.get(k));
          counted[k] = countsOf(found[k]);
        });
    for (int k = 0; k < found.length; k++) {
      steps.put(keys.get(k), found[k]);
      counts.put(keys.get(k), counted[k]);
    }
  }

  private int[] stepsOf(Key key) {
    int[] all = new int[prompts()];
    for (int prompt = 0; prompt < all.length; prompt++) {
      double[] y = kept(prompt, key.curve(), key.kind().metric());
      all[prompt] = y.length < FEWEST_POINTS ? LEFT_OUT : key.kind().step(y, scale);
    }
    return all;
  }

  /** Returns how often each step occurs: over all prompts, then in each resample. */
  private double[][] countsOf(int[] all) {
    double[][] some = new double[times.length + 1][StepKind.MOST + 1];
    for (int prompt = 0; prompt < all.length; prompt++) {
      if (all[prompt] != LEFT_OUT) {
        some[0][all[prompt]]++;
        for (int s = 0; s < times.length; s++) {
          some[s + 1][all[prompt]] += times[s][prompt];
        }
      }
    }
    return some;
  }

  /** Returns the number of prompts. */
  int prompts() {
    return values.rows();
  }

  /** Returns the ways. */
  List<Curve> curves() {
    return columns.curves();
  }

  /** Returns what is told of every way. */
  List<StepKind> statistics() {
    return statistics;
  }

  /** Returns what is measured along a way. */
  List<Metric> metrics(Curve curve) {
    return columns.metrics(curve);
  }

  /** Returns whether a way was measured. */
  boolean has(Curve curve) {
    return columns.curves().contains(curve);
  }

  /** Returns the lengths of the run. */
  Scale.Values scale() {
    return scale;
  }

  /** Returns the distance of the ends of a prompt's way. */
  double distance(int prompt, Curve curve) {
    return values.get(prompt, columns.distance(curve));
  }

  /** Returns what is measured at all points of a prompt's way. */
  double[] curve(int prompt, Curve curve, Metric metric) {
    double[] y = new double[Regime.POINTS];
    for (int n = 0; n < y.length; n++) {
      y[n] = values.get(prompt, columns.point(curve, metric, n));
    }
    return y;
  }

  /** Returns what is measured at the points before the target, which statistics are made of. */
  double[] kept(int prompt, Curve curve, Metric metric) {
    int kept = curve.regime().kept(distance(prompt, curve), scale.step());
    return Arrays.copyOf(curve(prompt, curve, metric), kept);
  }

  /** Returns the step of a prompt's way, or −1 if it was left out. */
  int step(int prompt, Curve curve, StepKind kind) {
    return steps.get(new Key(curve, kind))[prompt];
  }

  /** Returns how often each step from 0 to 100 occurs. */
  double[] counts(Curve curve, StepKind kind) {
    return counts.get(new Key(curve, kind))[0].clone();
  }

  /** Returns how many prompts have the statistic. */
  long counted(Curve curve, StepKind kind) {
    return Math.round(Arrays.stream(counts(curve, kind)).sum());
  }

  /** Returns the mean distance of the ends. */
  double meanDistance(Curve curve) {
    return sums[columns.distance(curve)] / prompts();
  }

  /** Returns the mean over all prompts of what is measured at a point. */
  double mean(Curve curve, Metric metric, int n) {
    return sums[columns.point(curve, metric, n)] / prompts();
  }

  /** Returns the interval of {@link #mean}. */
  Interval interval(Curve curve, Metric metric, int n) {
    int column = columns.point(curve, metric, n);
    double[] samples = new double[resampledSums.length];
    Arrays.setAll(samples, s -> resampledSums[s][column] / prompts());
    return Interval.middle(samples, LEVEL);
  }

  /** A number that depends on how often steps occur, or on mean curves. */
  @FunctionalInterface
  interface Statistic {
    /** Returns the number over all prompts or a resample of them. */
    double of(Sample sample);
  }

  /** All prompts, or a resample of them. */
  final class Sample {
    private final int number;

    private Sample(int number) {
      this.number = number;
    }

    /** Returns how often each step occurs in it. */
    double[] counts(Curve curve, StepKind kind) {
      return counts.get(new Key(curve, kind))[number];
    }

    /** Returns the mean step; NaN if it has none. */
    double mean(Curve curve, StepKind kind) {
      return average(counts(curve, kind));
    }

    /** Returns the standard deviation of the step, divisor n − 1; NaN below two prompts. */
    double deviation(Curve curve, StepKind kind) {
      double[] occurrences = counts(curve, kind);
      double mean = average(occurrences);
      double squares = 0;
      double n = 0;
      for (int step = 0; step < occurrences.length; step++) {
        squares += occurrences[step] * (step - mean) * (step - mean);
        n += occurrences[step];
      }
      return n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1));
    }

    /** Returns the KS distance of the steps of two ways. */
    double ks(Curve one, Curve other, StepKind kind) {
      return KolmogorovSmirnov.ofCounts(counts(one, kind), counts(other, kind));
    }

    /** Returns the mean over its prompts of what is measured at a point. */
    double mean(Curve curve, Metric metric, int n) {
      double[] all = number == 0 ? sums : resampledSums[number - 1];
      return all[columns.point(curve, metric, n)] / prompts();
    }
  }

  private static double average(double[] occurrences) {
    double sum = 0;
    double n = 0;
    for (int step = 0; step < occurrences.length; step++) {
      sum += occurrences[step] * step;
      n += occurrences[step];
    }
    return sum / n;
  }

  /** Returns a number over all prompts. */
  double value(Statistic statistic) {
    return statistic.of(new Sample(0));
  }

  /**
   * Returns the bootstrap interval of a number. Resamples in which it is no number are left out.
   */
  Interval interval(Statistic statistic) {
    return intervalOf(s -> statistic.of(new Sample(s)));
  }

  private Interval intervalOf(ToDoubleFunction<Integer> statistic) {
    double[] samples = new double[times.length];
    int n = 0;
    for (int s = 1; s <= times.length; s++) {
      double value = statistic.applyAsDouble(s);
      if (Double.isFinite(value)) {
        samples[n++] = value;
      }
    }
    return n == 0
        ? new Interval(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY)
        : Interval.middle(Arrays.copyOf(samples, n), LEVEL);
  }
}
