package dev.resid.experiments.dictionary;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.Interval;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.sae.dictionary.ConnectionFit.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What the source says about connections, set against a result. */
final class ConnectionClaims {
  private static final int PRODUCTS = FeatureLayout.PRODUCTS;

  private final ConnectionReport report;

  ConnectionClaims(ConnectionReport report) {
    this.report = report;
  }

  /** Returns a finding for every expectation. */
  List<Finding> findings() {
    return List.of(
        better(
            "A ReLU after the linear map predicts later features better, because these are never"
                + " negative",
            Model.RELU_LINEAR,
            Model.LINEAR),
        better(
            "A hidden layer predicts later features better still",
            Model.HIDDEN_LAYER,
            Model.RELU_LINEAR),
        weights(),
        sufficiency());
  }

  private Finding better(String expected, Model better, Model worse) {
    List<Estimate> numbers = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (int p = 0; p < report.fits().size(); p++) {
      ConnectionFits fits = report.fits().get(p);
      double[] gains =
          IntStream.range(0, ConnectionFits.STARTS)
              .mapToDouble(
                  start ->
                      fits.of(better).get(start).explained()
                          - fits.of(worse).get(start).explained())
              .toArray();
      Estimate gain =
          new Estimate(
              Arrays.stream(gains).average().orElseThrow(),
              new Interval(
                  Arrays.stream(gains).min().orElseThrow(),
                  Arrays.stream(gains).max().orElseThrow()));
      numbers.add(gain);
      each.add(name(p) + " " + gain.text(3));
    }
    return new Finding(
        expected,
        each.isEmpty()
            ? "No family has SAEs at two points that could be fitted."
            : "Variance of held-out tokens explained, difference: " + String.join("; ", each) + ".",
        DictionaryClaims.verdict(numbers),
        "In parentheses the least and the largest of "
            + ConnectionFits.STARTS
            + " starts, which must agree.");
  }

  private String name(int pair) {
    return report.pairs().get(pair).name(report.saes());
  }

  private Finding weights() {
    List<Estimate> numbers = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (int p = 0; p < report.fits().size(); p++) {
      ConnectionFits fits = report.fits().get(p);
      if (fits.weights().length > 0) {
        RowValues products = products(p);
        if (products.rows() > 1) {
          Estimates estimates = estimates(products);
          Estimate gain =
              estimates.of(
                  sums ->
                      FeatureMeans.correlation(sums, PRODUCTS) - FeatureMeans.correlation(sums, 0));
          numbers.add(gain);
          each.add(
              name(p)
                  + " weights alone "
                  + estimates.of(sums -> FeatureMeans.correlation(sums, 0)).text(3)
                  + ", fitted "
                  + estimates.of(sums -> FeatureMeans.correlation(sums, PRODUCTS)).text(3)
                  + ", difference "
                  + gain.text(3));
        }
      }
    }
    return new Finding(
        "Weights alone do not give the connections: those fitted to activations agree better with"
            + " what removing a feature does",
        each.isEmpty()
            ? "No two SAEs allow it."
            : "Correlation with the change of later features where the feature was active: "
                + String.join("; ", each)
                + ".",
        DictionaryClaims.verdict(numbers),
        "Each prediction times the feature's mean activation; intervals over features.");
  }

  private Finding sufficiency() {
    List<Estimate> numbers = new ArrayList<>();
    List<String> each = new ArrayList<>();
    for (int p = 0; p < report.pairs().size(); p++) {
      RowValues products = products(p);
      if (products.rows() > 1) {
        Estimate agreement =
            estimates(products).of(sums -> FeatureMeans.correlation(sums, 2 * PRODUCTS));
        numbers.add(agreement);
        each.add(name(p) + " " + agreement.text(3));
      }
    }
    return new Finding(
        "What a feature is needed for it is also enough for: setting it to its largest value raises"
            + " the features that fall without it",
        each.isEmpty()
            ? "No two SAEs allow it."
            : "Correlation between both changes, the one without it turned round: "
                + String.join("; ", each)
                + ".",
        DictionaryClaims.verdict(numbers),
        "The source probes sufficiency with directions scaled to their largest value; it makes no"
            + " prediction.");
  }

  private Estimates estimates(RowValues products) {
    try (Workers one = new Workers(1)) {
      return new Estimates(products, RowStudy.RESAMPLES, report.seed(), one);
    }
  }

  /**
   * Returns sums for three correlations with the effect of a feature, a row a feature: of weights
   * alone, of the fit, and of the change with the feature raised.
   */
  private RowValues products(int pair) {
    List<double[]> rows = new ArrayList<>();
    int targets = report.pairs().get(pair).targets().length;
    report.forEach(
        (p, slot, row) -> {
          if (p == pair) {
            double[] sums = new double[3 * PRODUCTS];
            for (int t = 0; t < targets; t++) {
              double effect = -report.get(row, "where_active", t);
              if (!report.fits().isEmpty()) {
                ConnectionFits fits = report.fits().get(p);
                double active = report.get(row, "mean_active");
                if (fits.weights().length > 0) {
                  add(sums, 0, active * fits.weights()[slot][t], effect);
                }
                add(sums, PRODUCTS, active * fits.linear()[slot][t], effect);
              }
              add(sums, 2 * PRODUCTS, report.get(row, "raised", t), effect);
            }
            rows.add(sums);
          }
        });
    RowValues values = new RowValues(rows.size(), 3 * PRODUCTS);
    for (int i = 0; i < rows.size(); i++) {
      values.set(i, rows.get(i));
    }
    return values;
  }

  private static void add(double[] sums, int first, double x, double y) {
    double[] products = {1, x, y, x * x, y * y, x * y};
    for (int i = 0; i < products.length; i++) {
      sums[first + i] += products[i];
    }
  }
}
