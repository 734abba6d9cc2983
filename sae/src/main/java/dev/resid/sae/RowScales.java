package dev.resid.sae;

/**
 * The normalisation of rows: what was subtracted from and divided out of each.
 *
 * @source SAELens 6.18.0: constant norm multiplies by √d_in/‖x‖; layer norm uses the unbiased
 *     deviation plus 1e-5 on the way in and the deviation alone on the way out. A row of zeros,
 *     which constant norm makes NaN there, is encoded as zeros here and comes back as zeros
 */
final class RowScales {
  private static final double EPSILON = 1e-5;

  private final int width;
  private final double[] shift;
  private final double[] in;
  private final double[] out;

  private RowScales(int rows, int width) {
    this.width = width;
    shift = new double[rows];
    in = new double[rows];
    out = new double[rows];
  }

  static boolean dependOnRow(SaeConfig config) {
    return config.normalization() == Normalization.CONSTANT_NORM
        || config.normalization() == Normalization.LAYER_NORM;
  }

  /** Returns the scales of rows [rows, d_in]. */
  static RowScales of(SaeConfig config, float[] x, int rows) {
    int width = config.dIn();
    RowScales scales = new RowScales(rows, width);
    for (int r = 0; r < rows; r++) {
      switch (config.normalization()) {
        case NONE -> scales.set(r, 0, 1, 1);
        case EXPECTED_AVERAGE_NORM ->
            scales.set(r, 0, config.inputScale(), 1 / config.inputScale());
        case CONSTANT_NORM -> {
          double norm = Math.sqrt(squares(x, r * width, width, 0)) / Math.sqrt(width);
          scales.set(r, 0, norm == 0 ? 0 : 1 / norm, norm);
        }
        case LAYER_NORM -> {
          double mean = 0;
          for (int i = 0; i < width; i++) {
            mean += x[r * width + i];
          }
          mean /= width;
          double deviation = Math.sqrt(squares(x, r * width, width, mean) / (width - 1));
          scales.set(r, mean, 1 / (deviation + EPSILON), deviation);
        }
      }
    }
    return scales;
  }

  private void set(int row, double rowShift, double factorIn, double factorOut) {
    shift[row] = rowShift;
    in[row] = factorIn;
    out[row] = factorOut;
  }

  private static double squares(float[] x, int from, int width, double mean) {
    double sum = 0;
    for (int i = from; i < from + width; i++) {
      sum += (x[i] - mean) * (x[i] - mean);
    }
    return sum;
  }

  /** Normalises rows in place, then subtracts an offset [d_in]; both in float64, rounded once. */
  void apply(float[] x, float[] offset) {
    for (int r = 0; r < shift.length; r++) {
      for (int c = 0; c < width; c++) {
        int i = r * width + c;
        x[i] = (float) ((x[i] - shift[r]) * in[r] - offset[c]);
      }
    }
  }

  /** Undoes the normalisation of reconstructions in place, [rows, d_out]. */
  void undo(float[] y) {
    for (int r = 0; r < shift.length; r++) {
      int dOut = y.length / shift.length;
      for (int i = r * dOut; i < (r + 1) * dOut; i++) {
        y[i] = (float) (y[i] * out[r] + shift[r]);
      }
    }
  }
}
