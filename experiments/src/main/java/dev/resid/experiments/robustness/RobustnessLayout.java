package dev.resid.experiments.robustness;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowLayout;
import dev.resid.hook.HookPoint;
import java.util.Arrays;
import java.util.List;

/**
 * Where the numbers of a row stand. What is averaged over positions is there as a sum of position 0
 * and a sum of positions 1 to n−2, so that both averages can be taken; the last position of a row,
 * which has no next token, is in none.
 *
 * @param points whose activations are turned
 * @param cosines descending
 * @param ratios norms of the replacements, as shares of the activation's
 * @param saes names of the SAEs
 */
record RobustnessLayout(
    List<HookPoint> points, List<Double> cosines, List<Double> ratios, List<String> saes) {
  /**
   * Bins of 1 − cosine, six a decade: the first holds cosines up to 0, the last those above .999.
   */
  static final int BINS = 20;

  private static final int BINS_A_DECADE = 6;

  /** Replacements of an SAE before those of each ratio. */
  static final int RECONSTRUCTION = 0;

  static final int AT_ITS_NORM = 1;
  static final int AT_RATIO = 2;

  /** Numbers of a bin. */
  static final int BIN_COUNT = 0;

  static final int BIN_COSINE = 1;
  static final int BIN_SAE = 2;
  static final int BIN_RANDOM = 3;

  private static final int PARTS = 2;
  private static final int BIN_NUMBERS = 4;

  /** What is measured at a position. */
  enum Readout {
    /** KL(original‖changed) of the next-token distribution, in nats. */
    KL,
    /** Cross-entropy of the next token minus that of the clean run, in nats. */
    DELTA_CE
  }

  /** What is known of an SAE at a position. */
  enum Fact {
    /** cos(x, SAE(x)). */
    COSINE,
    /** ‖SAE(x)‖/‖x‖. */
    LENGTH,
    /** Active features. */
    L0
  }

  /** Which positions are averaged. */
  enum Positions {
    /** 0 to n−2. */
    ALL,
    /** 1 to n−2. */
    WITHOUT_FIRST
  }

  /** The columns of one quantity: at position 0, and at those after it. */
  record Columns(int first, int rest) {}

  RobustnessLayout {
    points = List.copyOf(points);
    cosines = List.copyOf(cosines);
    ratios = List.copyOf(ratios);
    saes = List.copyOf(saes);
  }

  /** Returns the layout of a run, from what its record says. */
  static RobustnessLayout of(Settings settings) {
    return new RobustnessLayout(
        settings.list("points").stream().map(HookPoint::parse).toList(),
        Arrays.stream(settings.numbers("cosines")).boxed().toList(),
        Arrays.stream(settings.numbers("ratios")).boxed().toList(),
        settings.list("saes"));
  }

  RowLayout rows() {
    int readouts = Readout.values().length;
    return RowLayout.empty()
        .with("count", PARTS)
        .with("clean_ce", PARTS)
        .with("norm", points.size(), PARTS)
        .with("random", points.size(), ratios.size(), cosines.size(), readouts, PARTS)
        .with("sae", saes.size(), AT_RATIO + ratios.size(), readouts, PARTS)
        .with("fact", saes.size(), Fact.values().length, PARTS)
        .with("bin", saes.size(), BINS, BIN_NUMBERS);
  }

  /** Returns the bin of a cosine. */
  static int bin(double cosine) {
    if (cosine >= 1) {
      return BINS - 1;
    }
    int bin = 1 + (int) Math.floor(-BINS_A_DECADE * Math.log10(1 - cosine));
    return Math.clamp(bin, 0, BINS - 1);
  }

  /** Returns how many replacements a row is run with. */
  int continuations() {
    return points.size() * ratios.size() * cosines.size()
        + saes.size() * (AT_RATIO + ratios.size());
  }
}
