package dev.resid.experiments.language;

import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;

/**
 * What an SAE makes of the activations of some positions.
 *
 * @param reconstruction in the order of the activation
 * @param values [position][quantity], quantities as {@link ClozeLayout} numbers them
 */
record SaeQuality(float[] reconstruction, double[][] values) {
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
    for (int pos = 0; pos < positions; pos++) {
      double[] found = values[pos];
      for (int r = pos * rowsAt; r < (pos + 1) * rowsAt; r++) {
        found[ClozeLayout.L0] += features.count(r);
        for (int k = features.start(r); k < features.end(r); k++) {
          found[ClozeLayout.L1] += Math.abs(features.values()[k]);
        }
      }
      double squares = 0;
      for (int c = pos * width; c < (pos + 1) * width; c++) {
        double miss = (double) hat[c] - clean[c];
        found[ClozeLayout.SQUARED_ERROR] += miss * miss;
        squares += (double) clean[c] * clean[c];
      }
      found[ClozeLayout.NORM] = Math.sqrt(squares);
    }
    return new SaeQuality(hat, values);
  }
}
