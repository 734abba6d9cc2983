package dev.resid.sae.dictionary;

import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.metric.WrittenRun;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What a feature does for the prediction: its direction is taken out of the activation at every
 * position, x ← x − f_i(x)·d_i, and the change of the log-probability of the true next tokens is
 * measured. What the SAE does not reconstruct stays in place.
 *
 * @source experiment document, section 5, 004-i
 */
public final class FeatureAblation {
  private FeatureAblation() {}

  /**
   * Returns ln p(next token) with the feature's direction taken out minus without, in nats, by row
   * and position; a row's last position has none. Negative where the feature helps.
   *
   * @param gpt2 the model
   * @param sae reads and writes activations of the model
   * @param tokens rows of ids, as many as fit into one forward pass
   * @param feature from 0 to d_sae − 1
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public static double[][] logProbChangeNats(Gpt2 gpt2, Sae sae, TokenBatch tokens, int feature) {
    sae.config().requireFeature(feature);
    try (WrittenRun base = WrittenRun.of(gpt2, tokens, sae)) {
      Tensor input = base.cache().get(sae.config().point());
      SparseFeatures features = sae.encode(input);
      Tensor part = Contribution.of(sae, features, input, feature);
      Tensor changed = base.activation().minus(part.reshape(base.activation().shape()));
      PositionValues without = base.continueWith(List.of(changed)).crossEntropyNats();
      PositionValues clean = base.crossEntropyNats();
      double[][] change = new double[tokens.rows()][];
      for (int row = 0; row < change.length; row++) {
        change[row] = new double[clean.length(row)];
        for (int pos = 0; pos < change[row].length; pos++) {
          change[row][pos] = clean.get(row, pos) - without.get(row, pos);
        }
      }
      return change;
    }
  }
}
