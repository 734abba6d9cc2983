package dev.resid.backend.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

// The width of every kernel of this copy of the package. The compiler turns Vector API code into
// vector instructions only where the species is a constant, and a constant is a static final
// field. So there is one width for each copy of these classes; WidthLoader makes a second copy
// when a width other than the machine's is asked for, and tells it the width by its name.
final class Lanes {
  /** Full-width float vectors. */
  static final VectorSpecies<Float> F = floats();

  /** Double vectors of the same number of bits, so half as many lanes. */
  static final VectorSpecies<Double> D = VectorSpecies.of(double.class, F.vectorShape());

  /** Half-width float vectors: as many lanes as {@link #D}, to convert from and to. */
  static final VectorSpecies<Float> H =
      VectorSpecies.of(float.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

  static final int BITS = F.vectorBitSize();

  /** Lanes of {@link #F}. */
  static final int L = F.length();

  /** Lanes of {@link #D} and {@link #H}. */
  static final int LD = D.length();

  /** The class of a full-width float vector. */
  static final Class<?> KIND = FloatVector.zero(F).getClass();

  private Lanes() {}

  /**
   * Returns the same full-width vector after a check of its class. The compiler does not know the
   * class of a vector that a loop carries from step to step; if such a vector is stored after the
   * loop, it goes by the classes that the program has stored so far. Where those are of two widths
   * (4-row tiles are packed with narrower vectors), it prepares for both, and for that keeps the
   * vectors of the loop as objects, made anew at every step: five to thirty times slower.
   */
  static FloatVector certain(FloatVector vector) {
    return (FloatVector) KIND.cast(vector);
  }

  private static VectorSpecies<Float> floats() {
    ClassLoader loader = Lanes.class.getClassLoader();
    int bits = loader == null ? 0 : WidthNames.bitsOf(loader.getName());
    return switch (bits == 0 ? FloatVector.SPECIES_PREFERRED.vectorBitSize() : bits) {
      case 64, 128 -> FloatVector.SPECIES_128;
      case 256 -> FloatVector.SPECIES_256;
      default -> FloatVector.SPECIES_512;
    };
  }

  /** Returns the sum of all lanes in ascending order, which reduceLanes does not promise. */
  static double sum(double[] lanes) {
    double sum = 0;
    for (double lane : lanes) {
      sum += lane;
    }
    return sum;
  }
}
