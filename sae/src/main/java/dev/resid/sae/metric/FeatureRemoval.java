package dev.resid.sae.metric;

import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What removing the busiest features costs: the first k features of an order are set to 0 after
 * encoding, for several k, and L0 and loss recovered are measured each time. Removing all features
 * leaves b_dec.
 *
 * @source experiment document, section 5, 004-c
 */
public final class FeatureRemoval {
  /** Reconstructions in one continuation. */
  private static final int COPIES_AT_A_TIME = 4;

  private static final int POSITIONS_AT_A_TIME = 1024;

  private FeatureRemoval() {}

  /** In which order features are removed. */
  public enum Order {
    /** The feature active on most tokens first. */
    FREQUENCY,
    /** The feature with the largest mean over all tokens first. */
    MEAN_ACTIVATION
  }

  /**
   * What is left after removing features.
   *
   * @param removed how many were removed, k
   * @param l0 mean number of active features left
   * @param ceNats cross-entropy of the next token with what is left, over all positions
   * @param lossRecovered (CE_zero − CE) / (CE_zero − CE_clean), over all positions
   */
  public record Step(int removed, double l0, double ceNats, double lossRecovered) {}

  /**
   * Returns all features in the order in which they are removed, the lowest index first among
   * equals.
   *
   * @param sums of a token set
   * @param order by what
   */
  public static int[] order(SaeSums sums, Order order) {
    long[] tokens = sums.activeTokens(TokenScope.ALL);
    double[] means = sums.meanWhereActive();
    double[] key = new double[tokens.length];
    for (int i = 0; i < key.length; i++) {
      key[i] = order == Order.FREQUENCY ? tokens[i] : tokens[i] * means[i];
    }
    return IntStream.range(0, key.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -key[i]).thenComparing(i -> i))
        .mapToInt(i -> i)
        .toArray();
  }

  /**
   * Returns what is left for every k, in the order given.
   *
   * @param gpt2 the model
   * @param sae reads and writes activations of the model
   * @param tokens rows of ids
   * @param order all features, the first one to go first; see {@link #order}
   * @param removed how many features to remove, each from 0 to d_sae
   * @throws dev.resid.sae.SaeMismatchException if the SAE does not belong to the model
   * @throws IllegalArgumentException if a number is out of range or the order has not every feature
   *     once
   */
  public static List<Step> measure(
      Gpt2 gpt2, Sae sae, TokenBatch tokens, int[] order, int... removed) {
    sae.requireFits(gpt2);
    requireRemovable(order, removed);
    ranks(order, sae.config().dSae());
    // Sums of: clean, zero, then every k; then the number of active features left for every k.
    double[] losses = new double[2 + removed.length];
    double[] left = new double[removed.length];
    int step = Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
    for (int from = 0; from < tokens.rows(); from += step) {
      TokenBatch part = tokens.slice(from, Math.min(tokens.rows(), from + step));
      int predictions = part.tokenCount() - part.rows();
      try (WrittenRun base = WrittenRun.of(gpt2, part, sae)) {
        Tensor zeros = Tensor.zeros(base.activation().shape());
        double zero = sum(base.continueWith(List.of(zeros)).crossEntropyNats(), 0, part.rows());
        losses[0] += sum(base.crossEntropyNats(), 0, part.rows());
        losses[1] += zero;
        List<Step> some = measure(base, sae, zero / predictions, order, removed);
        for (int k = 0; k < removed.length; k++) {
          losses[2 + k] += some.get(k).ceNats() * predictions;
          left[k] += some.get(k).l0() * part.tokenCount();
        }
      }
    }
    int predictions = tokens.tokenCount() - tokens.rows();
    List<Step> steps = new ArrayList<>();
    for (int k = 0; k < removed.length; k++) {
      steps.add(
          new Step(
              removed[k],
              left[k] / tokens.tokenCount(),
              losses[2 + k] / predictions,
              SaeMetric.lossRecovered(losses[0], losses[2 + k], losses[1])));
    }
    return steps;
  }

  /**
   * Returns what is left for every k, in the order given, in a run that exists already: nothing is
   * computed that does not depend on k.
   *
   * @param base at what the SAE writes, with what it reads in its cache
   * @param sae reads and writes activations of the model
   * @param zeroCeNats cross-entropy with 0 in place of the activation, over all positions
   * @param order all features, the first one to go first; see {@link #order}
   * @param removed how many features to remove, each from 0 to d_sae
   * @throws IllegalArgumentException if a number is out of range or the order has not every feature
   *     once
   */
  public static List<Step> measure(
      WrittenRun base, Sae sae, double zeroCeNats, int[] order, int... removed) {
    requireRemovable(order, removed);
    int[] rank = ranks(order, sae.config().dSae());
    TokenBatch tokens = base.tokens();
    Tensor input = base.cache().get(sae.config().point());
    SparseFeatures features = sae.encode(input);
    long[] left = new long[removed.length];
    List<Tensor> variants = new ArrayList<>();
    for (int k = 0; k < removed.length; k++) {
      SparseFeatures kept = without(features, rank, removed[k]);
      left[k] = active(kept, tokens);
      variants.add(sae.decode(kept, input).reshape(base.activation().shape()));
    }
    double clean = sum(base.crossEntropyNats(), 0, tokens.rows());
    double[] losses = new double[removed.length];
    continueAll(base, variants, losses);
    long predictions = (long) tokens.tokenCount() - tokens.rows();
    List<Step> steps = new ArrayList<>();
    for (int k = 0; k < removed.length; k++) {
      steps.add(
          new Step(
              removed[k],
              (double) left[k] / tokens.tokenCount(),
              losses[k] / predictions,
              SaeMetric.lossRecovered(clean, losses[k], zeroCeNats * predictions)));
    }
    return steps;
  }

  private static void requireRemovable(int[] order, int... removed) {
    for (int k : removed) {
      if (k < 0 || k > order.length) {
        throw new IllegalArgumentException(
            k + " features cannot be removed, the SAE has " + order.length);
      }
    }
  }

  /** Adds the losses of the variants in front. */
  private static void continueAll(WrittenRun base, List<Tensor> variants, double[] losses) {
    int rows = base.tokens().rows();
    for (int first = 0; first < variants.size(); first += COPIES_AT_A_TIME) {
      int copies = Math.min(COPIES_AT_A_TIME, variants.size() - first);
      Continuation run = base.continueWith(variants.subList(first, first + copies));
      PositionValues ce = run.crossEntropyNats();
      for (int c = 0; c < copies; c++) {
        losses[first + c] += sum(ce, c * rows, (c + 1) * rows);
      }
    }
  }

  private static double sum(PositionValues values, int fromRow, int toRow) {
    double sum = 0;
    for (int row = fromRow; row < toRow; row++) {
      for (double value : values.row(row)) {
        sum += value;
      }
    }
    return sum;
  }

  private static int[] ranks(int[] order, int dSae) {
    int[] rank = new int[dSae];
    Arrays.fill(rank, -1);
    for (int r = 0; r < order.length; r++) {
      if (order.length != dSae || order[r] < 0 || order[r] >= dSae || rank[order[r]] >= 0) {
        throw new IllegalArgumentException(
            "the order must have every feature from 0 to " + (dSae - 1) + " once");
      }
      rank[order[r]] = r;
    }
    return rank;
  }

  /** Returns the features whose rank is at least k. */
  private static SparseFeatures without(SparseFeatures features, int[] rank, int k) {
    long[] starts = new long[features.rows() + 1];
    int[] indices = new int[Math.toIntExact(features.count())];
    float[] values = new float[indices.length];
    int n = 0;
    for (int row = 0; row < features.rows(); row++) {
      for (int at = features.start(row); at < features.end(row); at++) {
        if (rank[features.indices()[at]] >= k) {
          indices[n] = features.indices()[at];
          values[n++] = features.values()[at];
        }
      }
      starts[row + 1] = n;
    }
    return new SparseFeatures(features.leading(), features.dSae(), starts, indices, values);
  }

  private static long active(SparseFeatures features, TokenBatch part) {
    long active = 0;
    for (int row = 0; row < part.rows(); row++) {
      for (int pos = 0; pos < part.length(row); pos++) {
        active += features.count(row * part.maxLength() + pos);
      }
    }
    return active;
  }
}
