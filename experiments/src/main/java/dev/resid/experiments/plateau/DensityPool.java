package dev.resid.experiments.plateau;

import java.util.OptionalDouble;

/**
 * Which features a baseline draws the replacement of a feature from.
 *
 * @param decades features whose log10 density differs by less than this; empty for the ten free
 *     ones nearest in density, as in the paper
 * @source Giglemiani, Petrova et al. 2024 (arXiv 2409.15019); the earlier scripts beside their
 *     notebooks draw from all within 0.1, first within 0.01
 */
public record DensityPool(OptionalDouble decades) {
  private static final String NEAREST = "nearest";

  /** Checks the distance. */
  public DensityPool {
    if (decades.isPresent() && !(decades.getAsDouble() > 0 && decades.getAsDouble() < 1e3)) {
      throw new IllegalArgumentException(
          "a density pool is nearest, or a positive distance of log10 densities such as 0.1; got "
              + decades.getAsDouble());
    }
  }

  /** Returns the paper's: the ten nearest. */
  public static DensityPool nearest() {
    return new DensityPool(OptionalDouble.empty());
  }

  /**
   * Returns the pool of a text.
   *
   * @param text {@code nearest} or a number
   * @throws IllegalArgumentException if it is neither
   */
  public static DensityPool parse(String text) {
    if (text.equals(NEAREST)) {
      return nearest();
    }
    try {
      return new DensityPool(OptionalDouble.of(Double.parseDouble(text)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "a density pool is nearest, or a distance of log10 densities such as 0.1; got \""
              + text
              + "\"",
          e);
    }
  }

  /** Returns what {@link #parse} reads. */
  public String text() {
    return decades.isPresent() ? String.valueOf(decades.getAsDouble()) : NEAREST;
  }
}
