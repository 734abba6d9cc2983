package dev.resid.sae.dictionary;

import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import it.unimi.dsi.fastutil.floats.FloatArrayList;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Where one feature is active in a token set, and how much. */
public final class FeatureActivations {
  private static final int POSITIONS_AT_A_TIME = 4096;

  private final int feature;
  private final TokenBatch tokens;
  private final IntArrayList rows = new IntArrayList();
  private final IntArrayList positions = new IntArrayList();
  private final FloatArrayList values = new FloatArrayList();

  private FeatureActivations(int feature, TokenBatch tokens) {
    this.feature = feature;
    this.tokens = tokens;
  }

  /** Told how many rows have been run. */
  @FunctionalInterface
  public interface RowListener {
    /**
     * Takes notice.
     *
     * @param rows rows done so far
     */
    void done(int rows);
  }

  /**
   * A position at which a feature is active.
   *
   * @param row of the token set
   * @param pos in the row
   * @param activation of the feature there
   */
  public record Example(int row, int pos, float activation) {}

  /**
   * Runs a model over a token set once and returns the activations of some features.
   *
   * @param gpt2 the model
   * @param sae reads activations of the model
   * @param tokens rows of ids
   * @param features each from 0 to d_sae − 1
   * @return one a feature, in the order given
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public static List<FeatureActivations> scan(
      Gpt2 gpt2, Sae sae, TokenBatch tokens, int... features) {
    return scan(gpt2, sae, tokens, rows -> {}, features);
  }

  /**
   * Runs a model over a token set once and returns the activations of some features.
   *
   * @param gpt2 the model
   * @param sae reads activations of the model
   * @param tokens rows of ids
   * @param listener told about every step
   * @param features each from 0 to d_sae − 1
   * @return one a feature, in the order given
   * @throws IndexOutOfBoundsException if there is no such feature
   */
  public static List<FeatureActivations> scan(
      Gpt2 gpt2, Sae sae, TokenBatch tokens, RowListener listener, int... features) {
    List<FeatureActivations> found = new ArrayList<>();
    for (int feature : features) {
      sae.config().requireFeature(feature);
      found.add(new FeatureActivations(feature, tokens));
    }
    HookPoint point = sae.config().point();
    int step = Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
    for (int from = 0; from < tokens.rows(); from += step) {
      TokenBatch part = tokens.slice(from, Math.min(tokens.rows(), from + step));
      Tensor x = gpt2.capture(part, point.capture()).get(point);
      SparseFeatures encoded = sae.encode(x);
      for (FeatureActivations one : found) {
        one.add(part, from, encoded);
      }
      listener.done(from + part.rows());
    }
    return found;
  }

  private void add(TokenBatch part, int firstRow, SparseFeatures encoded) {
    for (int row = 0; row < part.rows(); row++) {
      for (int pos = 0; pos < part.length(row); pos++) {
        float value = encoded.get(row * part.maxLength() + pos, feature);
        if (value != 0) {
          rows.add(firstRow + row);
          positions.add(pos);
          values.add(value);
        }
      }
    }
  }

  /** Returns the number of the feature. */
  public int feature() {
    return feature;
  }

  /** Returns the token set. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns on how many tokens the feature is active. */
  public int activeTokens() {
    return values.size();
  }

  /** Returns the part of the tokens on which the feature is active. */
  public double frequency() {
    return (double) values.size() / tokens.tokenCount();
  }

  /** Returns the mean activation over the tokens on which the feature is active; 0 if none. */
  public double meanWhereActive() {
    double sum = 0;
    for (float value : values.toFloatArray()) {
      sum += value;
    }
    return values.isEmpty() ? 0 : sum / values.size();
  }

  /** Returns the largest activation over all tokens. */
  public double largest() {
    double largest = values.size() < tokens.tokenCount() ? 0 : Double.NEGATIVE_INFINITY;
    for (float value : values.toFloatArray()) {
      largest = Math.max(largest, value);
    }
    return largest;
  }

  /** Returns the smallest activation over all tokens, usually 0. */
  public double smallest() {
    double smallest = values.size() < tokens.tokenCount() ? 0 : Double.POSITIVE_INFINITY;
    for (float value : values.toFloatArray()) {
      smallest = Math.min(smallest, value);
    }
    return smallest;
  }

  /**
   * Returns the activations at all positions of a row, [pos].
   *
   * @param row of the token set
   */
  public float[] row(int row) {
    float[] activations = new float[tokens.length(row)];
    for (int i = firstOf(row); i < values.size() && rows.getInt(i) == row; i++) {
      activations[positions.getInt(i)] = values.getFloat(i);
    }
    return activations;
  }

  /** Returns the first entry whose row is at least this one. */
  private int firstOf(int row) {
    int low = 0;
    int high = rows.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (rows.getInt(middle) < row) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * Returns how often the feature has which activation.
   *
   * @param bins equally wide, from 0 to the largest activation
   */
  public ActivationHistogram histogram(int bins) {
    return ActivationHistogram.of(tokens.tokenCount(), bins, values.toFloatArray());
  }

  /**
   * Returns the positions with the largest activations, the largest first, the earliest first among
   * equals.
   *
   * @param k at most so many
   */
  public List<Example> top(int k) {
    return descending().limit(k).toList();
  }

  /**
   * Returns the positions with the largest activations, at most one a row, the largest first.
   *
   * @param k at most so many
   */
  public List<Example> topOfRows(int k) {
    java.util.Set<Integer> seen = new java.util.HashSet<>();
    return descending().filter(example -> seen.add(example.row())).limit(k).toList();
  }

  private java.util.stream.Stream<Example> descending() {
    return IntStream.range(0, values.size())
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -values.getFloat(i)))
        .map(this::example);
  }

  private Example example(int i) {
    return new Example(rows.getInt(i), positions.getInt(i), values.getFloat(i));
  }

  /**
   * Returns one position of every bin that has any, drawn at random, the largest activation first.
   * The bins are equally wide between the smallest and the largest activation of the token set,
   * each with its upper edge and without its lower one; the smallest value itself, where the
   * feature is usually not active, has no bin.
   *
   * @param bins how many, at least 1
   * @param seed same seed, same examples
   * @source experiment document, section 5, 004-f
   */
  public List<Example> binned(int bins, long seed) {
    if (bins < 1) {
      throw new IllegalArgumentException("there is at least one bin, got " + bins);
    }
    double smallest = smallest();
    double largest = largest();
    List<IntArrayList> members = new ArrayList<>();
    for (int b = 0; b <= bins; b++) {
      members.add(new IntArrayList());
    }
    for (int i = 0; i < values.size(); i++) {
      int bin = ActivationHistogram.bin(values.getFloat(i), smallest, largest, bins);
      members.get(bin).add(i);
    }
    CounterRandom random = new CounterRandom(seed);
    List<Example> examples = new ArrayList<>();
    for (int b = bins; b >= 1; b--) {
      IntArrayList bin = members.get(b);
      if (!bin.isEmpty()) {
        examples.add(example(bin.getInt(random.below(bin.size(), feature, 0, b))));
      }
    }
    return examples;
  }
}
