package dev.resid.experiments.patch;

import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.hook.Site;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Numbers of one pair or means over all pairs, as shares of the difference between the clean and
 * the corrupted readout: 1 where a patch brings all of it back.
 */
final class PatchMeans {
  private final PatchLayout sizes;
  private final RowLayout layout;
  private final RowValues values;
  private final Estimates estimates;

  PatchMeans(PatchLayout sizes, RowValues values, Estimates estimates) {
    this.sizes = sizes;
    this.layout = sizes.rows();
    this.values = values;
    this.estimates = estimates;
  }

  PatchLayout sizes() {
    return sizes;
  }

  Estimates estimates() {
    return estimates;
  }

  int pairs() {
    return values.rows();
  }

  int column(String name, int... at) {
    return layout.index(name, at);
  }

  /** Returns a number of a pair, or for −1 its mean over pairs. */
  double raw(int pair, String name, int... at) {
    int column = layout.index(name, at);
    return pair < 0
        ? estimates.value(sums -> sums[column] / estimates.rows())
        : values.get(pair, column);
  }

  /** Returns a change of the readout as a share of clean minus corrupted; pair −1 for all. */
  double share(int pair, String name, int... at) {
    return raw(pair, name, at) / (raw(pair, PatchLayout.CLEAN) - raw(pair, PatchLayout.CORRUPTED));
  }

  /** Returns the ratio of means of a change and of clean minus corrupted. */
  ToDoubleFunction<double[]> share(String name, int... at) {
    int column = layout.index(name, at);
    int clean = layout.index(PatchLayout.CLEAN);
    int corrupted = layout.index(PatchLayout.CORRUPTED);
    return sums -> sums[column] / (sums[clean] - sums[corrupted]);
  }

  Estimate shareOfAll(String name, int... at) {
    return estimates.of(share(name, at));
  }

  /** Returns the columns of exact results at a site, and beside them those of attributions. */
  List<int[]> cells(Site site) {
    List<int[]> cells = new ArrayList<>();
    for (int layer = 0; layer < sizes.layers(); layer++) {
      for (int pos = 0; pos < sizes.positions(); pos++) {
        for (int head = 0; head < (site == Site.Z ? sizes.heads() : 1); head++) {
          int[] at = site == Site.Z ? new int[] {layer, pos, head} : new int[] {layer, pos};
          cells.add(
              new int[] {
                layout.index(PatchLayout.exact(site), at),
                layout.index(PatchLayout.attributed(site), at)
              });
        }
      }
    }
    return cells;
  }

  /** Returns Pearson's correlation of exact results and attributions over the cells of a site. */
  ToDoubleFunction<double[]> correlation(Site site) {
    List<int[]> cells = cells(site);
    return sums -> {
      double n = cells.size();
      double x = 0;
      double y = 0;
      for (int[] cell : cells) {
        x += sums[cell[0]] / n;
        y += sums[cell[1]] / n;
      }
      double xx = 0;
      double yy = 0;
      double xy = 0;
      for (int[] cell : cells) {
        double dx = sums[cell[0]] - x;
        double dy = sums[cell[1]] - y;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
      }
      return xy / Math.sqrt(xx * yy);
    };
  }
}
