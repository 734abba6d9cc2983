package dev.resid.experiments.substitution;

import java.util.ArrayList;
import java.util.List;

/**
 * The order of the numbers that come out of one row: for every case the sums of every read-out at
 * position 0 and at the positions after it, how many positions those are, the same sums of the
 * clean cross-entropy; then KL after the replacement of a single position, by distance from it, for
 * every case put in alone, and whether the row reaches so far. The last position of a row is in
 * none of them.
 *
 * @param all every subject with everything that replaces it
 * @param readouts what is measured
 * @param alone what is put in at a single position too
 */
record Cases(List<Case> all, List<Readout> readouts, List<Substitute> alone) {
  /** Positions that are read after a single replaced one, itself included. */
  static final int AFTER = 17;

  /**
   * A replacement.
   *
   * @param subject name of an SAE, or of a point for what needs none
   * @param substitute what replaces the activation
   */
  record Case(String subject, Substitute substitute) {}

  /** Which positions are averaged. */
  enum Positions {
    /** 0 to n−2: the published average. */
    ALL,
    /** 1 to n−2. */
    WITHOUT_FIRST
  }

  Cases {
    all = List.copyOf(all);
    readouts = List.copyOf(readouts);
    alone = List.copyOf(alone);
  }

  /** Returns the cases of a run. */
  static Cases of(
      List<String> saes,
      List<String> points,
      List<Substitute> substitutes,
      List<Readout> readouts,
      List<Substitute> alone) {
    List<Case> cases = new ArrayList<>();
    for (Substitute substitute : substitutes) {
      for (String subject : substitute.needsSae() ? saes : points) {
        cases.add(new Case(subject, substitute));
      }
    }
    return new Cases(cases, readouts, alone);
  }

  /** Returns the cases whose effect on later positions is read. */
  List<Case> single() {
    return all.stream().filter(c -> alone.contains(c.substitute())).toList();
  }

  /** Returns how many numbers a row has. */
  int count() {
    return afterCount(AFTER);
  }

  int first(Case one, Readout readout) {
    return 2 * (all.indexOf(one) * readouts.size() + readouts.indexOf(readout));
  }

  int firstCount() {
    return 2 * all.size() * readouts.size();
  }

  int restCount() {
    return firstCount() + 1;
  }

  /** Returns the column of the clean cross-entropy at position 0; the next has that of the rest. */
  int cleanFirst() {
    return restCount() + 1;
  }

  /** Returns the column of KL at a distance after the single position. */
  int after(Case one, int distance) {
    return cleanFirst() + 2 + single().indexOf(one) * AFTER + distance;
  }

  /** Returns the column that counts rows with a position at that distance. */
  int afterCount(int distance) {
    return cleanFirst() + 2 + single().size() * AFTER + distance;
  }

  /** Returns a mean over positions, from sums over rows. */
  double mean(double[] sums, Case one, Readout readout, Positions positions) {
    return mean(sums, first(one, readout), positions);
  }

  /** Returns the mean clean cross-entropy, from sums over rows. */
  double meanClean(double[] sums, Positions positions) {
    return mean(sums, cleanFirst(), positions);
  }

  private double mean(double[] sums, int first, Positions positions) {
    double rest = sums[first + 1];
    return switch (positions) {
      case ALL -> (sums[first] + rest) / (sums[firstCount()] + sums[restCount()]);
      case WITHOUT_FIRST -> rest / sums[restCount()];
    };
  }

  /** Returns the mean KL at a distance after the single position; NaN if no row reaches it. */
  double meanAfter(double[] sums, Case one, int distance) {
    return sums[after(one, distance)] / sums[afterCount(distance)];
  }
}
