package dev.resid.experiments.substitution;

import java.util.ArrayList;
import java.util.List;

/**
 * The order of the numbers that come out of one row: for every case the sums of KL and L2 at
 * position 0 and at the positions after it, how many positions those are; then KL after the
 * replacement of a single position, by distance from it, for every case at equal distance, and
 * whether the row reaches so far. The last position of a row is in none of them.
 *
 * @param all every subject with everything that replaces it
 */
record Cases(List<Case> all) {
  /** Positions that are read after a single replaced one, itself included. */
  static final int AFTER = 17;

  private static final int SUMS = 4;

  /**
   * A replacement.
   *
   * @param subject name of an SAE, or of a point for what needs none
   * @param substitute what replaces the activation
   */
  record Case(String subject, Substitute substitute) {}

  /** What is measured at a position. */
  enum Metric {
    /** KL(original‖changed) of the next-token distribution, in nats. */
    KL,
    /** Euclidean distance at the last resid_post. */
    L2
  }

  /** Which positions are averaged. */
  enum Positions {
    /** 0 to n−2: the published average. */
    ALL,
    /** 1 to n−2. */
    WITHOUT_FIRST
  }

  Cases {
    all = List.copyOf(all);
  }

  /** Returns the cases of a run. */
  static Cases of(List<String> saes, List<String> points, List<Substitute> substitutes) {
    List<Case> cases = new ArrayList<>();
    for (Substitute substitute : substitutes) {
      for (String subject : substitute.needsSae() ? saes : points) {
        cases.add(new Case(subject, substitute));
      }
    }
    return new Cases(cases);
  }

  /** Returns the cases whose effect on later positions is read. */
  List<Case> single() {
    return all.stream().filter(c -> Substitute.EQUAL_DISTANCE.contains(c.substitute())).toList();
  }

  /** Returns how many numbers a row has. */
  int count() {
    return all.size() * SUMS + 2 + (single().size() + 1) * AFTER;
  }

  int first(Case one, Metric metric) {
    return all.indexOf(one) * SUMS + 2 * metric.ordinal();
  }

  int rest(Case one, Metric metric) {
    return first(one, metric) + 1;
  }

  int firstCount() {
    return all.size() * SUMS;
  }

  int restCount() {
    return firstCount() + 1;
  }

  /** Returns the column of KL at a distance after the single position. */
  int after(Case one, int distance) {
    return restCount() + 1 + single().indexOf(one) * AFTER + distance;
  }

  /** Returns the column that counts rows with a position at that distance. */
  int afterCount(int distance) {
    return restCount() + 1 + single().size() * AFTER + distance;
  }

  /** Returns a mean over positions, from sums over rows. */
  double mean(double[] sums, Case one, Metric metric, Positions positions) {
    double rest = sums[rest(one, metric)];
    return switch (positions) {
      case ALL -> (sums[first(one, metric)] + rest) / (sums[firstCount()] + sums[restCount()]);
      case WITHOUT_FIRST -> rest / sums[restCount()];
    };
  }

  /** Returns the mean KL at a distance after the single position; NaN if no row reaches it. */
  double meanAfter(double[] sums, Case one, int distance) {
    return sums[after(one, distance)] / sums[afterCount(distance)];
  }
}
