package dev.resid.testing;

import dev.resid.tensor.Tensor;

/**
 * What "equal" means for one comparison: how far an actual value may be from the expected one. The
 * only sources of tolerances are here and in the bounds that are derived, kernel by kernel, from
 * {@link #U}.
 */
@FunctionalInterface
public interface Tolerance {
  /** Half the distance from 1 to the next float: the relative error of one float operation. */
  double U = 0x1p-24;

  /**
   * What underflow may cost: a backend may lose everything below the smallest normal float in every
   * one of up to a thousand terms.
   */
  double UNDERFLOW = 1000.0 * Float.MIN_NORMAL;

  /**
   * Returns the largest allowed distance.
   *
   * @param index row-major index of the value
   * @param expected the expected value
   */
  double allowed(int index, double expected);

  /**
   * Returns a tolerance of {@code absolute + relative·|expected|}.
   *
   * @param absolute allowed whatever the value
   * @param relative allowed as a part of the value
   */
  static Tolerance within(double absolute, double relative) {
    return (index, expected) -> absolute + relative * Math.abs(expected);
  }

  /**
   * Returns a tolerance with its own bound for every element.
   *
   * @param allowed row-major, one for every element
   */
  static Tolerance each(double[] allowed) {
    return (index, expected) -> allowed[index];
  }

  /**
   * Returns the bound n·u·Σ|aᵢbᵢ| of a sum of products computed in float in any order, with three
   * more roundings for a bias, a factor and the rounding of the expected value (Higham 2002,
   * Accuracy and Stability of Numerical Algorithms, section 3.1).
   *
   * @param terms n
   * @param magnitudes Σ|aᵢbᵢ| of every element: the reference's result for the absolute operands
   */
  static Tolerance sums(int terms, Tensor magnitudes) {
    float[] sums = magnitudes.toArray();
    return (index, expected) -> (terms + 3) * U * sums[index] + UNDERFLOW;
  }
}
