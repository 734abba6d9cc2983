package dev.resid.experiments.language;

import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;

/**
 * What an SAE makes of the activations of some positions.
 *
 * @param reconstruction in the order of the activation
 * @param values [position][quantity], quantities as {@link ClozeLayout} numbers them
 * @param fits [position][quantity]: {@link #ERROR}, {@link #RECONSTRUCTION_NORM}, {@link #COSINE}
 */
record SaeQuality(float[] reconstruction, double[][] values, double[][] fits) {
  /** ‖SAE(x) − x‖, not squared. */
  static final int ERROR = 0;

  /** ‖SAE(x)‖. */
  static final int RECONSTRUCTION_NORM = 1;

  /** cos(x, SAE(x)); 0 where one of them is 0. */
  static final int COSINE = 2;

  static final int FITS = 3;

  /**
   * Returns it for one row.
   *
   * @param sae the SAE
   * @param x activation of one row, [batch=1, pos, ...]
   * @param positions of the row
   */
  static SaeQuality of(Sae sae, Tensor x, int positions) {
    SparseFeatures features = sae.encode(x);
    float[] hat = sae.decode(features, x).toArray();
    float[] clean = x.toArray();
    int width = clean.length / positions;
    int rowsAt = features.rows() / positions;
    double[][] values = new double[positions][ClozeLayout.QUANTITIES];
    double[][] fits = new double[positions][FITS];
    for (int pos = 0; pos < positions; pos++) {
      double[] found = values[pos];
      for (int r = pos * rowsAt; r < (pos + 1) * rowsAt; r++) {
        found[ClozeLayout.L0] += features.count(r);
        for (int k = features.start(r); k < features.end(r); k++) {
          found[ClozeLayout.L1] += Math.abs(features.values()[k]);
        }
      }
      double squares = 0;
      double hatSquares = 0;
      double product = 0;
      for (int c = pos * width; c < (pos + 1) * width; c++) {
        double miss = (double) hat[c] - clean[c];
        found[ClozeLayout.SQUARED_ERROR] += miss * miss;
        squares += (double) clean[c] * clean[c];
        hatSquares += (double) hat[c] * hat[c];
        product += (double) hat[c] * clean[c];
      }
      found[ClozeLayout.NORM] = Math.sqrt(squares);
      fits[pos][ERROR] = Math.sqrt(found[ClozeLayout.SQUARED_ERROR]);
      fits[pos][RECONSTRUCTION_NORM] = Math.sqrt(hatSquares);
      double norms = Math.sqrt(squares) * Math.sqrt(hatSquares);
      fits[pos][COSINE] = norms == 0 ? 0 : product / norms;
    }
    return new SaeQuality(hat, values, fits);
  }

  /**
   * Returns Σ_pos mean_c (SAE(x)_c − x_c)² / ‖x − x̄‖ over the first positions of a row, x̄ the
   * mean over all of them; a position at which x is x̄ counts 0.
   *
   * @param x activation of the row, [batch=1, pos, ...]
   * @param positions of the row
   * @param counted how many of them, from the first, are added up
   * @source Bloom's training code, mats_sae_training, the error term of its loss in February 2024
   */
  double normalizedMse(Tensor x, int positions, int counted) {
    float[] clean = x.toArray();
    int width = clean.length / positions;
    double[] mean = new double[width];
    for (int i = 0; i < clean.length; i++) {
      mean[i % width] += (double) clean[i] / positions;
    }
    double sum = 0;
    for (int pos = 0; pos < counted; pos++) {
      double squares = 0;
      for (int c = 0; c < width; c++) {
        double centred = clean[pos * width + c] - mean[c];
        squares += centred * centred;
      }
      sum += squares == 0 ? 0 : values[pos][ClozeLayout.SQUARED_ERROR] / width / Math.sqrt(squares);
    }
    return sum;
  }
}
