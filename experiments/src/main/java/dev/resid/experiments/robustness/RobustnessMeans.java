package dev.resid.experiments.robustness;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.robustness.RobustnessLayout.Columns;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.hook.HookPoint;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Means over positions and rows, with intervals. */
final class RobustnessMeans {
  private final RobustnessLayout sizes;
  private final RowLayout layout;
  private final Estimates estimates;
  private final List<ComparedSae> saes = new ArrayList<>();

  /**
   * An SAE of the run.
   *
   * @param index its place in the layout
   * @param name its name
   * @param family SAEs of one family are drawn together
   * @param point whose activations it reconstructs
   */
  record ComparedSae(int index, String name, String family, HookPoint point) {}

  RobustnessMeans(Settings settings, Estimates estimates) {
    this.sizes = RobustnessLayout.of(settings);
    this.layout = sizes.rows();
    this.estimates = estimates;
    for (int i = 0; i < sizes.saes().size(); i++) {
      saes.add(
          new ComparedSae(
              i,
              sizes.saes().get(i),
              settings.list("sae_families").get(i),
              HookPoint.parse(settings.list("sae_points").get(i))));
    }
  }

  RobustnessLayout sizes() {
    return sizes;
  }

  List<ComparedSae> saes() {
    return saes;
  }

  int rows() {
    return estimates.rows();
  }

  Estimate of(ToDoubleFunction<double[]> statistic) {
    return estimates.of(statistic);
  }

  /** Returns the columns of random vectors at a cosine. */
  Columns random(int point, int ratio, int cosine, Readout readout) {
    return new Columns(
        layout.index("random", point, ratio, cosine, readout.ordinal(), 0),
        layout.index("random", point, ratio, cosine, readout.ordinal(), 1));
  }

  /** Returns the columns of a replacement of an SAE. */
  Columns sae(int sae, int replacement, Readout readout) {
    return new Columns(
        layout.index("sae", sae, replacement, readout.ordinal(), 0),
        layout.index("sae", sae, replacement, readout.ordinal(), 1));
  }

  /** Returns the columns of what is known of an SAE. */
  Columns fact(int sae, Fact fact) {
    return new Columns(
        layout.index("fact", sae, fact.ordinal(), 0), layout.index("fact", sae, fact.ordinal(), 1));
  }

  /** Returns the columns of the norm at a point. */
  Columns norm(int point) {
    return new Columns(layout.index("norm", point, 0), layout.index("norm", point, 1));
  }

  /** Returns the columns of the clean cross-entropy. */
  Columns cleanCrossEntropy() {
    return new Columns(layout.index("clean_ce", 0), layout.index("clean_ce", 1));
  }

  /** Returns the column of a number of a bin. */
  int bin(int sae, int bin, int number) {
    return layout.index("bin", sae, bin, number);
  }

  /** Returns a mean over positions from the sums of all columns over rows. */
  double mean(double[] sums, Columns columns, Positions positions) {
    double rest = sums[columns.rest()];
    double restCount = sums[layout.index("count", 1)];
    return switch (positions) {
      case ALL -> (sums[columns.first()] + rest) / (sums[layout.index("count", 0)] + restCount);
      case WITHOUT_FIRST -> rest / restCount;
    };
  }

  /** Returns a mean over positions with its interval. */
  Estimate mean(Columns columns, Positions positions) {
    return estimates.of(sums -> mean(sums, columns, positions));
  }

  /** Returns a sum of a column over all rows. */
  double sum(int column) {
    return estimates.value(sums -> sums[column]);
  }

  /** Returns the number of positions 1 to n−2. */
  double restCount() {
    return sum(layout.index("count", 1));
  }

  /** Returns ln of mean KL of SAE(x) over that of random vectors of its cosine and norm. */
  double logRatio(double[] sums, int sae) {
    double mine = mean(sums, sae(sae, RobustnessLayout.RECONSTRUCTION, Readout.KL), Positions.ALL);
    double random = mean(sums, sae(sae, RobustnessLayout.AT_ITS_NORM, Readout.KL), Positions.ALL);
    return log(mine) - log(random);
  }

  /** Returns ln of KL of SAE(x) over that of random vectors, over some bins of the cosine. */
  double logRatio(double[] sums, int sae, int fromBin, int toBin) {
    double mine = 0;
    double random = 0;
    for (int bin = fromBin; bin < toBin; bin++) {
      mine += sums[bin(sae, bin, RobustnessLayout.BIN_SAE)];
      random += sums[bin(sae, bin, RobustnessLayout.BIN_RANDOM)];
    }
    return mine > 0 && random > 0 ? Math.log(mine) - Math.log(random) : Double.NaN;
  }

  /** Returns the bin above which at most half of an SAE's positions lie, itself excluded. */
  int middleBin(int sae) {
    double below = 0;
    double all = restCount();
    for (int bin = 0; bin < RobustnessLayout.BINS; bin++) {
      below += sum(bin(sae, bin, RobustnessLayout.BIN_COUNT));
      if (below >= all / 2) {
        return bin + 1;
      }
    }
    return RobustnessLayout.BINS;
  }

  /** Returns ln of a mean KL, which may be 0. */
  static double log(double value) {
    return Math.log(Math.max(value, Double.MIN_NORMAL));
  }
}
