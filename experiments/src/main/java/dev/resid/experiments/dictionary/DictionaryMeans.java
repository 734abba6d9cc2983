package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryLayout.Error;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.sae.metric.FeatureRemoval.Order;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Means over tokens and rows, with intervals. */
final class DictionaryMeans {
  private final DictionaryLayout sizes;
  private final RowLayout layout;
  private final Estimates estimates;

  DictionaryMeans(DictionaryLayout sizes, RowValues values, long seed, Workers workers) {
    this.sizes = sizes;
    this.layout = sizes.rows();
    this.estimates = new Estimates(values, RowStudy.RESAMPLES, seed, workers);
  }

  /** Which positions are averaged. */
  enum Positions {
    /** 0 to n−1. */
    ALL,
    /** 1 to n−1. */
    WITHOUT_FIRST
  }

  DictionaryLayout sizes() {
    return sizes;
  }

  int rows() {
    return estimates.rows();
  }

  Estimate of(ToDoubleFunction<double[]> statistic) {
    return estimates.of(statistic);
  }

  double value(ToDoubleFunction<double[]> statistic) {
    return estimates.value(statistic);
  }

  /** Returns the SAEs of every family at every point, by L0. */
  Map<String, List<Integer>> groups() {
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    for (int s = 0; s < sizes.saes().size(); s++) {
      var sae = sizes.saes().get(s);
      groups
          .computeIfAbsent(sae.family() + " SAEs at " + sae.reads(), g -> new ArrayList<>())
          .add(s);
    }
    groups
        .values()
        .forEach(
            some ->
                some.sort(
                    java.util.Comparator.comparingDouble(
                        s -> value(sums -> l0(sums, s, Order.FREQUENCY, 0)))));
    return groups;
  }

  private double tokens(double[] sums) {
    return sums[layout.index("count", 0)] + sums[layout.index("count", 1)];
  }

  private double mean(double[] sums, int first, int rest, Positions positions) {
    return switch (positions) {
      case ALL -> (sums[first] + sums[rest]) / tokens(sums);
      case WITHOUT_FIRST -> sums[rest] / sums[layout.index("count", 1)];
    };
  }

  /** Returns the mean number of active features left. */
  double l0(double[] sums, int sae, Order order, int step) {
    return sums[layout.index("l0", sae, order.ordinal(), step)] / tokens(sums);
  }

  /** Returns the mean cross-entropy with what is left. */
  double crossEntropy(double[] sums, int sae, Order order, int step) {
    return sums[layout.index("ce", sae, order.ordinal(), step)] / sums[layout.index("count", 1)];
  }

  /** Returns (CE_zero − CE)/(CE_zero − CE_clean) with what is left. */
  double recovered(double[] sums, int sae, Order order, int step) {
    double zero = sums[layout.index("zero_ce", sae)];
    return (zero - sums[layout.index("ce", sae, order.ordinal(), step)])
        / (zero - sums[layout.index("clean_ce")]);
  }

  /** Returns the loss recovered on the curve of an SAE at some L0, linear between two steps. */
  double recoveredAt(double[] sums, int sae, Order order, double l0) {
    int step = 1;
    while (step < sizes.removed().length - 1 && l0(sums, sae, order, step) > l0) {
      step++;
    }
    double above = l0(sums, sae, order, step - 1);
    double below = l0(sums, sae, order, step);
    double part = above == below ? 0 : (above - l0) / (above - below);
    return recovered(sums, sae, order, step - 1) * (1 - part)
        + recovered(sums, sae, order, step) * part;
  }

  /** Returns the mean norm at a point of the layout. */
  double norm(double[] sums, int point, Positions positions) {
    return mean(sums, layout.index("norm", point, 0), layout.index("norm", point, 1), positions);
  }

  /** Returns a mean of an SAE's error. */
  double error(double[] sums, int sae, Error error, Positions positions) {
    return mean(
        sums,
        layout.index("error", sae, error.ordinal(), 0),
        layout.index("error", sae, error.ordinal(), 1),
        positions);
  }
}
