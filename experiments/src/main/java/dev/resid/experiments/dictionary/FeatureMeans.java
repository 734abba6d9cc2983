package dev.resid.experiments.dictionary;

import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Means over the features of a family of SAEs at a point, with intervals over features. */
final class FeatureMeans {
  private static final RowLayout LAYOUT = FeatureLayout.VALUES;

  private final FeatureUnits units;
  private final RowValues values;
  private final Map<String, Group> groups = new LinkedHashMap<>();

  FeatureMeans(
      List<SaeFacts> saes, FeatureUnits units, RowValues values, long seed, Workers workers) {
    this.units = units;
    this.values = values;
    Map<String, List<Integer>> some = new LinkedHashMap<>();
    for (int unit : units.filled()) {
      SaeFacts sae = saes.get(units.sae(unit));
      some.computeIfAbsent(sae.family() + " SAEs at " + sae.reads(), g -> new ArrayList<>())
          .add(unit);
    }
    some.forEach((name, own) -> groups.put(name, group(own, seed, workers)));
  }

  private Group group(List<Integer> units, long seed, Workers workers) {
    RowValues own = new RowValues(units.size(), values.columns());
    for (int i = 0; i < units.size(); i++) {
      double[] numbers = new double[values.columns()];
      for (int column = 0; column < numbers.length; column++) {
        numbers[column] = values.get(units.get(i), column);
      }
      own.set(i, numbers);
    }
    return new Group(List.copyOf(units), new Estimates(own, RowStudy.RESAMPLES, seed, workers));
  }

  /**
   * Features that are averaged.
   *
   * @param units theirs
   * @param estimates resamples of them
   */
  record Group(List<Integer> units, Estimates estimates) {
    /** Returns the mean of a number over the features that have it. */
    Estimate mean(String name) {
      return ratio(LAYOUT.index(name), LAYOUT.index(name + "_n"));
    }

    /** Returns the mean of an element of an array. */
    Estimate mean(String name, int at) {
      return ratio(LAYOUT.index(name, at), LAYOUT.index(name + "_n", at));
    }

    /** Returns the sum of an element over the sum of another. */
    Estimate mean(String above, String below, int at) {
      return ratio(LAYOUT.index(above, at), LAYOUT.index(below, at));
    }

    /** Returns the share of all features that have a mark. */
    Estimate share(String name) {
      return ratio(LAYOUT.index(name), LAYOUT.index("present"));
    }

    private Estimate ratio(int above, int below) {
      return estimates.ratio(above, below);
    }

    /** Returns a statistic of sums over features. */
    Estimate of(ToDoubleFunction<double[]> statistic) {
      return estimates.of(statistic);
    }

    /** Returns the correlation over features between lens and effect. */
    Estimate correlation() {
      return of(sums -> FeatureMeans.correlation(sums, LAYOUT.index("products", 0)));
    }
  }

  /**
   * Returns Pearson's correlation from sums that stand one after another: how many, x, y, x², y²,
   * x·y.
   */
  static double correlation(double[] sums, int first) {
    double n = sums[first];
    double x = sums[first + 1] / n;
    double y = sums[first + 2] / n;
    double xx = sums[first + 3] / n - x * x;
    double yy = sums[first + 4] / n - y * y;
    return (sums[first + 5] / n - x * y) / Math.sqrt(xx * yy);
  }

  /** Returns the groups by name. */
  Map<String, Group> groups() {
    return groups;
  }

  /** Returns which features there are. */
  FeatureUnits units() {
    return units;
  }

  /** Returns a number of a feature. */
  double get(int unit, String name) {
    return values.get(unit, LAYOUT.index(name));
  }

  /** Returns an element of an array of a feature. */
  double get(int unit, String name, int at) {
    return values.get(unit, LAYOUT.index(name, at));
  }

  /** Returns one number of a feature over another. */
  double ratio(int unit, String above, String below) {
    return get(unit, above) / get(unit, below);
  }
}
