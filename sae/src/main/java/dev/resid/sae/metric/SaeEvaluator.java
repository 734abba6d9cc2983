package dev.resid.sae.metric;

import dev.resid.hook.HookPoint;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.BitSet;
import java.util.List;

/**
 * Runs a model clean, with an SAE's reconstruction in the place of the activation, with 0 there and
 * with the mean activation there, and sums up what every {@link SaeMetric} needs.
 *
 * <p>Two passes: {@link #means} over all tokens, then {@link #sums}. Both give the same bits
 * whatever {@code rowsAtATime} and the number of threads are. For token sets too large for one
 * call, call both on parts and merge.
 */
public final class SaeEvaluator {
  /** Positions of the clean run to compute at a time; three changed copies come on top. */
  private static final int POSITIONS_AT_A_TIME = 1024;

  private final Gpt2 gpt2;
  private final Sae sae;
  private final int rowsAtATime;

  /**
   * Creates an evaluator.
   *
   * @param gpt2 the model
   * @param sae reads and writes activations of the model; for a transcoder the reconstruction is
   *     compared with the activation it writes
   * @throws dev.resid.sae.SaeMismatchException if the SAE does not belong to the model
   */
  public SaeEvaluator(Gpt2 gpt2, Sae sae) {
    this(gpt2, sae, 0);
  }

  /**
   * Creates an evaluator that runs some rows of tokens at a time.
   *
   * @param gpt2 the model
   * @param sae reads and writes activations of the model
   * @param rowsAtATime rows of tokens in one forward pass, 0 for what fits; numbers do not depend
   *     on it
   * @throws dev.resid.sae.SaeMismatchException if the SAE does not belong to the model
   * @throws IllegalArgumentException if the rows are negative
   */
  public SaeEvaluator(Gpt2 gpt2, Sae sae, int rowsAtATime) {
    if (rowsAtATime < 0) {
      throw new IllegalArgumentException(
          "rows at a time is " + rowsAtATime + ", must be 0 or more");
    }
    sae.requireFits(gpt2);
    this.gpt2 = gpt2;
    this.sae = sae;
    this.rowsAtATime = rowsAtATime;
  }

  /** Returns the report of a token set, both passes. */
  public SaeReport report(TokenBatch tokens) {
    return new SaeReport(sums(tokens, means(tokens)), FeatureCosines.of(sae));
  }

  /**
   * Returns the sums for the mean activation at the point the SAE writes.
   *
   * @param tokens rows of ids
   */
  public ActivationMeans means(TokenBatch tokens) {
    HookPoint point = sae.config().outputPoint();
    ActivationMeans means = ActivationMeans.none(sae.config().dOut());
    int step = step(tokens);
    for (int from = 0; from < tokens.rows(); from += step) {
      TokenBatch part = tokens.slice(from, Math.min(tokens.rows(), from + step));
      float[] x = gpt2.capture(part, point.capture()).get(point).toArray();
      for (int row = 0; row < part.rows(); row++) {
        for (int pos = 0; pos < part.length(row); pos++) {
          means.add(pos, x, (row * part.maxLength() + pos) * sae.config().dOut());
        }
      }
    }
    return means;
  }

  /**
   * Returns the sums of the metrics.
   *
   * @param tokens rows of ids
   * @param means of the whole token set of which these rows are a part
   * @throws IllegalStateException if a loss or an activation is not a finite number
   */
  public SaeSums sums(TokenBatch tokens, ActivationMeans means) {
    SaeSums sums = SaeSums.none(sae.config().dSae());
    int step = step(tokens);
    for (int from = 0; from < tokens.rows(); from += step) {
      TokenBatch part = tokens.slice(from, Math.min(tokens.rows(), from + step));
      measure(part, from, means, sums);
    }
    return sums;
  }

  private int step(TokenBatch tokens) {
    return rowsAtATime > 0 ? rowsAtATime : Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
  }

  private void measure(TokenBatch part, int firstRow, ActivationMeans means, SaeSums sums) {
    SaeConfig config = sae.config();
    try (WrittenRun base = WrittenRun.of(gpt2, part, sae)) {
      Tensor input = base.cache().get(config.point());
      Tensor x = base.activation();
      SparseFeatures features = sae.encode(input);
      Tensor y = sae.decode(features, input).reshape(x.shape());
      double[][] mean = {means.mean(TokenScope.ALL), means.mean(TokenScope.WITHOUT_FIRST)};
      Continuation changed =
          base.continueWith(List.of(y, Tensor.zeros(x.shape()), everywhere(x.shape(), mean[0])));
      TokenSums token = new TokenSums(x.toArray(), y.toArray(), mean, sums);
      PositionValues clean = base.crossEntropyNats();
      Continuation.KlAndCrossEntropy both = changed.klAndCrossEntropyNats();
      PositionValues ce = both.crossEntropyNats();
      PositionValues kl = both.klNats();
      for (int row = 0; row < part.rows(); row++) {
        for (int pos = 0; pos < part.length(row); pos++) {
          int at = row * part.maxLength() + pos;
          requireFinite(token.add(pos, at), firstRow + row, pos);
          requireFinite(addFeatures(features, at, pos, sums), firstRow + row, pos);
          requireFinite(addLosses(row, pos, part, clean, ce, kl, sums), firstRow + row, pos);
        }
        addRows(features, row * part.maxLength(), part.length(row), sums);
      }
    }
  }

  /** Returns an activation that is the mean at every position. */
  private static Tensor everywhere(Shape shape, double... mean) {
    float[] all = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) mean[i % mean.length];
    }
    return Tensor.wrap(shape, all);
  }

  private static double addFeatures(SparseFeatures features, int at, int pos, SaeSums sums) {
    double l1 = 0;
    for (int i = features.start(at); i < features.end(at); i++) {
      l1 += Math.abs(features.values()[i]);
      sums.addFeature(features.indices()[i], pos, features.values()[i]);
    }
    for (TokenScope scope : TokenScope.values()) {
      if (pos >= scope.firstPosition()) {
        sums.add(scope, Sum.L0, features.count(at));
        sums.add(scope, Sum.L1, l1);
      }
    }
    return l1;
  }

  private static void addRows(SparseFeatures features, int first, int length, SaeSums sums) {
    BitSet seen = new BitSet(features.dSae());
    for (int i = features.start(first); i < features.end(first + length - 1); i++) {
      seen.set(features.indices()[i]);
    }
    seen.stream().forEach(sums::addRow);
  }

  private static double addLosses(
      int row,
      int pos,
      TokenBatch part,
      PositionValues clean,
      PositionValues ce,
      PositionValues kl,
      SaeSums sums) {
    Sum[] ceSums = {Sum.CE_SAE, Sum.CE_ZERO, Sum.CE_MEAN};
    Sum[] klSums = {Sum.KL_SAE, Sum.KL_ZERO, Sum.KL_MEAN};
    boolean predicts = pos + 1 < part.length(row);
    double total = predicts ? clean.get(row, pos) : 0;
    for (TokenScope scope : TokenScope.values()) {
      if (pos < scope.firstPosition()) {
        continue;
      }
      if (predicts) {
        sums.add(scope, Sum.PREDICTIONS, 1);
        sums.add(scope, Sum.CE_CLEAN, clean.get(row, pos));
      }
      for (int copy = 0; copy < 3; copy++) {
        int at = copy * part.rows() + row;
        double loss = predicts ? ce.get(at, pos) : 0;
        if (predicts) {
          sums.add(scope, ceSums[copy], loss);
        }
        sums.add(scope, klSums[copy], kl.get(at, pos));
        total += loss + kl.get(at, pos);
      }
    }
    return total;
  }

  private void requireFinite(double value, int row, int pos) {
    if (!Double.isFinite(value)) {
      throw new IllegalStateException(
          sae.config().name()
              + " gives no finite number at row "
              + row
              + ", position "
              + pos
              + "; its weights or the model's are damaged");
    }
  }
}
