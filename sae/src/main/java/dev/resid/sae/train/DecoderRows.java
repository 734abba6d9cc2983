package dev.resid.sae.train;

/** Arithmetic on the rows of a decoder, in float64. */
final class DecoderRows {
  private DecoderRows() {}

  /** Returns the norm of a stretch of values. */
  static double norm(float[] values, int from, int n) {
    double squares = 0;
    for (int i = from; i < from + n; i++) {
      squares += (double) values[i] * values[i];
    }
    return Math.sqrt(squares);
  }

  /** Returns the norm of every row of that width. */
  static double[] norms(float[] rows, int width) {
    double[] norms = new double[rows.length / width];
    for (int i = 0; i < norms.length; i++) {
      norms[i] = norm(rows, i * width, width);
    }
    return norms;
  }

  /** Divides every row by its norm; a row of zeros stays. */
  static void normalize(float[] rows, int width) {
    double[] norms = norms(rows, width);
    for (int i = 0; i < rows.length; i++) {
      double norm = norms[i / width];
      if (norm > 0) {
        rows[i] = (float) (rows[i] / norm);
      }
    }
  }

  /** Removes from every row of a gradient its part along the same row of the decoder. */
  static void removeParallel(float[] gradient, float[] rows, int width) {
    double[] norms = norms(rows, width);
    for (int i = 0; i < norms.length; i++) {
      double along = 0;
      for (int c = i * width; c < (i + 1) * width; c++) {
        along += (double) gradient[c] * rows[c];
      }
      double factor = norms[i] > 0 ? along / (norms[i] * norms[i]) : 0;
      for (int c = i * width; c < (i + 1) * width; c++) {
        gradient[c] = (float) (gradient[c] - factor * rows[c]);
      }
    }
  }
}
