package dev.resid.backend.cuda;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import java.util.Arrays;

/** Checks that only this backend makes, before anything is written. */
final class Operands {
  private Operands() {}

  static void requireSameSizes(Shape found, Shape expected) {
    if (!Arrays.equals(found.sizes(), expected.sizes())) {
      throw new ShapeMismatchException(
          "the matrix to overwrite is " + expected + ", the new values are " + found);
    }
  }

  static void requireBetween(String what, int value, int highest, Object of) {
    if (value < 0 || value > highest) {
      throw new IllegalArgumentException(
          what + " is " + value + ", expected 0 to " + highest + ", the last axis of " + of);
    }
  }
}
