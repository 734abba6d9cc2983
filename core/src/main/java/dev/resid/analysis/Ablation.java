package dev.resid.analysis;

import dev.resid.hook.Intervention;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;

/**
 * Interventions that take an activation away: by zero, or by a mean that carries no information
 * about the row it stands in. Means come from {@link #mean} and {@link #meanByPosition}.
 *
 * <p>Zero takes a model to activations it never sees; the mean is the gentler of the two.
 */
public final class Ablation {
  private Ablation() {}

  /** Returns the intervention that puts 0 everywhere. */
  public static Intervention zero() {
    return (x, at) -> Tensor.zeros(x.shape());
  }

  /**
   * Returns the intervention that puts 0 at one index of an axis: a head, a position, a neuron.
   *
   * @param axis which axis; at {@link Axis#POS} the index is the true position
   * @param index which index
   * @throws IndexOutOfBoundsException when it acts, if the axis has no such index; a position that
   *     the pass does not compute is left alone
   */
  public static Intervention zeroAt(Axis axis, int index) {
    return zero().onlyAt(axis, index);
  }

  /**
   * Returns the intervention that puts a mean at every row, and at every position if the mean has
   * none; of one head, with {@code .onlyAt(HEAD, 3)}.
   *
   * @param mean an activation without the axis {@code batch}, with or without {@code pos}; with it,
   *     as many positions as the run has
   * @throws ShapeMismatchException when it acts, if the other axes differ from the activation's
   */
  public static Intervention mean(Tensor mean) {
    return (x, at) -> {
      Shape one = x.shape().without(Axis.BATCH);
      Tensor part = mean;
      if (mean.shape().has(Axis.POS)) {
        int size = x.shape().size(Axis.POS);
        part = mean.slice(Axis.POS, at.firstPosition(), at.firstPosition() + size);
      } else {
        one = one.without(Axis.POS);
      }
      if (!part.shape().equals(one)) {
        throw new ShapeMismatchException(
            "the mean to put at " + at.point() + " is " + mean.shape() + ", expected " + one);
      }
      return Tensor.zeros(x.shape()).plus(part);
    };
  }

  /**
   * Returns the mean of an activation over all positions of all rows, without the axes {@code
   * batch} and {@code pos}; positions past a row's end do not count.
   *
   * @param activation [batch, pos, ..], as captured
   * @param tokens the rows it belongs to
   * @throws ShapeMismatchException if the axes do not begin with batch and pos of these rows
   * @accuracy one rounding to float32 of a float64 sum
   */
  public static Tensor mean(Tensor activation, TokenBatch tokens) {
    int width = width(activation, tokens);
    double[] sums = new double[width];
    float[] values = activation.toArray();
    for (int row = 0; row < tokens.rows(); row++) {
      for (int pos = 0; pos < tokens.length(row); pos++) {
        add(values, row * tokens.maxLength() + pos, sums, 0, width);
      }
    }
    float[] mean = new float[width];
    for (int i = 0; i < width; i++) {
      mean[i] = (float) (sums[i] / tokens.tokenCount());
    }
    return Tensor.wrap(activation.shape().without(Axis.BATCH).without(Axis.POS), mean);
  }

  /**
   * Returns the mean of an activation over the rows, for each position by itself, without the axis
   * {@code batch}; rows that end before a position do not count there.
   *
   * @param activation [batch, pos, ..], as captured
   * @param tokens the rows it belongs to
   * @throws ShapeMismatchException if the axes do not begin with batch and pos of these rows
   * @accuracy one rounding to float32 of a float64 sum
   */
  public static Tensor meanByPosition(Tensor activation, TokenBatch tokens) {
    int width = width(activation, tokens);
    int positions = tokens.maxLength();
    double[] sums = new double[positions * width];
    int[] counts = new int[positions];
    float[] values = activation.toArray();
    for (int row = 0; row < tokens.rows(); row++) {
      for (int pos = 0; pos < tokens.length(row); pos++) {
        add(values, row * positions + pos, sums, pos, width);
        counts[pos]++;
      }
    }
    float[] mean = new float[sums.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sums[i] / counts[i / width]);
    }
    return Tensor.wrap(activation.shape().without(Axis.BATCH), mean);
  }

  private static void add(float[] values, int from, double[] sums, int to, int width) {
    for (int i = 0; i < width; i++) {
      sums[to * width + i] += values[from * width + i];
    }
  }

  private static int width(Tensor activation, TokenBatch tokens) {
    Shape shape = activation.shape();
    boolean fits =
        shape.rank() >= 2
            && shape.indexOf(Axis.BATCH) == 0
            && shape.indexOf(Axis.POS) == 1
            && shape.size(Axis.BATCH) == tokens.rows()
            && shape.size(Axis.POS) == tokens.maxLength();
    if (!fits) {
      throw new ShapeMismatchException(
          "a mean needs [batch="
              + tokens.rows()
              + ", pos="
              + tokens.maxLength()
              + ", ..], got "
              + shape);
    }
    return Math.toIntExact(shape.elements() / ((long) tokens.rows() * tokens.maxLength()));
  }
}
