package dev.resid.analysis;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gradients;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Attribution patching: a first-order estimate of what activation patching would do, for every
 * point and position at once. With f the readout of the corrupted run and a an activation, patching
 * a to its clean value changes f by about Σ (a_clean − a_corrupted)·∂f/∂a. Two forward passes and
 * one backward pass give all estimates.
 *
 * @source Nanda 2023, "Attribution Patching: Activation Patching At Industrial Scale"
 */
public final class Attribution {
  private final TokenBatch tokens;
  private final Map<HookPoint, Scores> scores;

  private Attribution(TokenBatch tokens, Map<HookPoint, Scores> scores) {
    this.tokens = tokens;
    this.scores = Collections.unmodifiableMap(scores);
  }

  /** Estimates at one point, summed over the activation's last axis. */
  private record Scores(Shape shape, double[] values) {}

  /**
   * Returns the estimates for a pair of runs.
   *
   * @param gpt2 the model
   * @param corrupted rows that are patched
   * @param clean rows that the patches come from, of the same lengths
   * @param readout what the patches change, with as many rows, read at the last positions
   * @param points activations to be patched, any that exist
   * @throws IllegalArgumentException if rows or lengths differ, or a point does not exist
   * @accuracy that of float32 gradients; the sum over the last axis is in float64
   */
  public static Attribution of(
      Gpt2 gpt2,
      TokenBatch corrupted,
      TokenBatch clean,
      LogitReadout readout,
      Collection<HookPoint> points) {
    requireSameLengths(corrupted, clean);
    readout.requireRows(corrupted);
    Capture[] captures = Capture.each(points);
    ActivationCache donor = gpt2.capture(clean, captures);
    try (Tape tape = gpt2.record(corrupted, captures)) {
      Gradients gradients =
          tape.backward(
              Wanted.activations(points.toArray(HookPoint[]::new)), readout.seed(corrupted));
      Map<HookPoint, Scores> scores = new TreeMap<>();
      for (HookPoint point : points) {
        scores.put(
            point,
            products(donor.get(point), tape.cache().get(point), gradients.activation(point)));
      }
      return new Attribution(corrupted, scores);
    }
  }

  private static Scores products(Tensor clean, Tensor corrupted, Tensor gradient) {
    Shape shape = clean.shape();
    int width = shape.last();
    float[] to = clean.toArray();
    float[] from = corrupted.toArray();
    float[] slope = gradient.toArray();
    double[] values = new double[to.length / Math.max(1, width)];
    for (int i = 0; i < to.length; i++) {
      // Masked scores are −∞ in both runs.
      if (to[i] != from[i] && slope[i] != 0) {
        values[i / width] += ((double) to[i] - from[i]) * slope[i];
      }
    }
    return new Scores(new Shape(shape.dims().subList(0, shape.rank() - 1)), values);
  }

  /** Returns the tokens of the run that is patched. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns the points that have estimates, in the order of the forward pass. */
  public Set<HookPoint> points() {
    return scores.keySet();
  }

  /**
   * Returns the estimated change of a row's readout if the activation at one position is patched,
   * every head of it.
   *
   * @param point one of {@link #points}
   * @param row row of the batch
   * @param pos position; the query position at a site of attention
   */
  public double at(HookPoint point, int row, int pos) {
    Shape shape = scores(point).shape;
    int heads = shape.has(Axis.HEAD) ? shape.size(Axis.HEAD) : 1;
    double sum = 0;
    for (int head = 0; head < heads; head++) {
      sum += at(point, row, pos, head);
    }
    return sum;
  }

  /**
   * Returns the estimated change of a row's readout if one head's activation at one position is
   * patched.
   *
   * @param point one of {@link #points}
   * @param row row of the batch
   * @param pos position; the query position at a site of attention
   * @param head which head; 0 at a site without heads
   * @throws IllegalArgumentException if the point has no estimates
   * @throws IndexOutOfBoundsException if there is no such row, position or head
   */
  public double at(HookPoint point, int row, int pos, int head) {
    Scores found = scores(point);
    found.shape.requireIndex(Axis.BATCH, row);
    found.shape.with(Axis.POS, tokens.length(row)).requireIndex(Axis.POS, pos);
    int index = 0;
    for (var dim : found.shape.dims()) {
      int at = dim.axis().equals(Axis.BATCH) ? row : dim.axis().equals(Axis.POS) ? pos : head;
      found.shape.requireIndex(dim.axis(), at);
      index = index * dim.size() + at;
    }
    return found.values[index];
  }

  private Scores scores(HookPoint point) {
    Scores found = scores.get(point);
    if (found == null) {
      throw new IllegalArgumentException(
          "there is no attribution at " + point + ", only at " + scores.keySet());
    }
    return found;
  }

  static void requireSameLengths(TokenBatch corrupted, TokenBatch clean) {
    if (!java.util.Arrays.equals(corrupted.lengths(), clean.lengths())) {
      throw new IllegalArgumentException(
          "clean rows have "
              + java.util.Arrays.toString(clean.lengths())
              + " tokens, corrupted ones "
              + java.util.Arrays.toString(corrupted.lengths())
              + "; patching needs the same position to exist in both");
    }
  }
}
