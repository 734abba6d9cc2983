package dev.resid.backend.vector;

/** Buffers of one thread, kept from task to task. Their contents are arbitrary at first. */
final class Scratch {
  /** What a buffer is for; two uses at the same time need two names. */
  enum Use {
    ROWS,
    TILE,
    BASE,
    LOGITS,
    KEYS,
    VALUES,
    QUERIES,
    SCORES,
    PATTERN,
    GRADIENT,
    ACTIVATION,
    PIECE,
    PIECE_GRADIENT
  }

  private final float[][] buffers = new float[Use.values().length][];

  private double[] doubles = {};

  private Object packedFor;
  private int packedRow;
  private int packedTerm;

  /** Returns a buffer of float64, at least as long as asked; there is one. */
  double[] doubles(int length) {
    if (doubles.length < length) {
      doubles = new double[length];
    }
    return doubles;
  }

  /**
   * Returns whether ROWS holds anything but these rows of a product, and takes note that it is
   * about to hold them.
   *
   * @param product any object of the one call that packs rows under these numbers
   */
  boolean isNew(Object product, int row, int term) {
    boolean isNew = packedFor != product || packedRow != row || packedTerm != term;
    packedFor = product;
    packedRow = row;
    packedTerm = term;
    return isNew;
  }

  /** Returns the buffer for a use, at least as long as asked. */
  float[] floats(Use use, int length) {
    float[] buffer = buffers[use.ordinal()];
    if (buffer == null || buffer.length < length) {
      buffer = new float[length];
      buffers[use.ordinal()] = buffer;
    }
    return buffer;
  }
}
