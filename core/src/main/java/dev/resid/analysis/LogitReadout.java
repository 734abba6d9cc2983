package dev.resid.analysis;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Seed;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * One number of a prediction for each row of a batch: the logit of a token, or the difference of
 * the logits of two. It is linear in the output of the final layer norm, logit = W_U[token]·x +
 * b_U[token], so that two vectors are all it takes; the rest of the vocabulary is not computed.
 */
public final class LogitReadout {
  /** The point that a readout is linear in. */
  static final HookPoint POINT = HookPoint.at(Site.LN_FINAL_NORMALIZED);

  private final int[] answers;
  private final List<double[]> directions;
  private final double[] biases;
  private final double[] gamma;
  private final double[] beta;

  private LogitReadout(Gpt2 gpt2, int[] answers, int[] against) {
    this.answers = answers.clone();
    this.biases = new double[answers.length];
    Gpt2Weights weights = gpt2.weights();
    this.gamma = doubles(weights.get(Weight.of(WeightNames.lnFinal_gamma)));
    this.beta = doubles(weights.get(Weight.of(WeightNames.lnFinal_beta)));
    Tensor W_U = weights.get(Weight.of(WeightNames.W_U));
    Tensor b_U = weights.get(Weight.of(WeightNames.b_U));
    List<double[]> rows = new ArrayList<>();
    for (int row = 0; row < answers.length; row++) {
      double[] direction = unembedding(gpt2, W_U, answers[row]);
      biases[row] = b_U.get(answers[row]);
      if (against.length > 0) {
        double[] other = unembedding(gpt2, W_U, against[row]);
        biases[row] -= b_U.get(against[row]);
        for (int c = 0; c < direction.length; c++) {
          direction[c] -= other[c];
        }
      }
      rows.add(direction);
    }
    this.directions = List.copyOf(rows);
  }

  /**
   * Returns the logit of a token a row.
   *
   * @param gpt2 the model
   * @param answers token ids, one a row
   * @throws IllegalArgumentException if there is none, or one is outside the vocabulary
   */
  public static LogitReadout logits(Gpt2 gpt2, int... answers) {
    requireSome(answers);
    return new LogitReadout(gpt2, answers, new int[0]);
  }

  /**
   * Returns logit[answer] − logit[against] of each row.
   *
   * @param gpt2 the model
   * @param answers token ids, one a row
   * @param against token ids, one a row
   * @throws IllegalArgumentException if there is none, their numbers differ, or one is outside the
   *     vocabulary
   */
  public static LogitReadout differences(Gpt2 gpt2, int[] answers, int[] against) {
    requireSome(answers);
    if (answers.length != against.length) {
      throw new IllegalArgumentException(
          answers.length + " answers and " + against.length + " tokens to set against them");
    }
    return new LogitReadout(gpt2, answers, against);
  }

  private static void requireSome(int... answers) {
    if (answers.length == 0) {
      throw new IllegalArgumentException("a readout needs an answer for each row, got none");
    }
  }

  private static double[] unembedding(Gpt2 gpt2, Tensor W_U, int id) {
    if (id < 0 || id >= gpt2.config().dVocab()) {
      throw new IllegalArgumentException(
          "token " + id + " is outside the vocabulary of " + gpt2.config().dVocab());
    }
    return doubles(W_U.slice(Axis.D_VOCAB, id, id + 1));
  }

  /** Returns the number of rows. */
  public int rows() {
    return answers.length;
  }

  /**
   * Returns the readout of every row at its last position in a run.
   *
   * @param gpt2 the model it was made for
   * @param tokens as many rows as this has
   * @param hooks captures and replacements
   * @throws IllegalArgumentException if the number of rows differs
   */
  public double[] of(Gpt2 gpt2, TokenBatch tokens, Hook... hooks) {
    requireRows(tokens);
    Tensor normalized = gpt2.capture(tokens, Hook.join(hooks, POINT.capture())).get(POINT);
    double[] values = new double[tokens.rows()];
    for (int row = 0; row < values.length; row++) {
      values[row] = at(normalized, row, tokens.length(row) - 1);
    }
    return values;
  }

  /**
   * Returns the readout at one position.
   *
   * @param normalized {@code ln_final.hook_normalized}, [batch, pos, d_model]; with n copies of the
   *     rows, row r is row r modulo {@link #rows} of the readout
   * @param row of the tensor
   * @param pos of the tensor
   * @throws ShapeMismatchException if the width is not the model's
   * @accuracy 2⁻⁵³·d_model·Σ|u·x| against exact arithmetic on the given activations
   */
  public double at(Tensor normalized, int row, int pos) {
    double[] direction = directions.get(row % rows());
    float[] x = position(normalized, row, pos, direction.length);
    double sum = biases[row % rows()];
    for (int c = 0; c < x.length; c++) {
      sum += x[c] * direction[c];
    }
    return sum;
  }

  /**
   * Returns the seed of the sum over rows of the readouts at the rows' last positions.
   *
   * @param tokens rows of a recorded run, as many as this has
   */
  public Seed seed(TokenBatch tokens) {
    requireRows(tokens);
    int width = beta.length;
    int pos = tokens.maxLength();
    float[] gradient = new float[tokens.rows() * pos * width];
    for (int row = 0; row < tokens.rows(); row++) {
      int at = (row * pos + tokens.length(row) - 1) * width;
      for (int c = 0; c < width; c++) {
        gradient[at + c] = (float) directions.get(row)[c];
      }
    }
    Shape shape = Shape.of(Axis.BATCH, tokens.rows(), Axis.POS, pos, Axis.D_MODEL, width);
    return Seed.activation(POINT, Tensor.wrap(shape, gradient));
  }

  /**
   * Returns what a part of the last residual stream adds to the readout, with the final layer
   * norm's scale held: Σ_c (x_c − mean(x))/scale·γ_c·u_c.
   */
  double contribution(float[] x, double scale, int row) {
    double mean = 0;
    for (float value : x) {
      mean += value;
    }
    mean /= x.length;
    double[] direction = directions.get(row % rows());
    double sum = 0;
    for (int c = 0; c < x.length; c++) {
      sum += (x[c] - mean) * gamma[c] * direction[c];
    }
    return sum / scale;
  }

  /** Returns what no part of the stream brings: β·u + b_U. */
  double constant(int row) {
    double[] direction = directions.get(row % rows());
    double sum = biases[row % rows()];
    for (int c = 0; c < beta.length; c++) {
      sum += beta[c] * direction[c];
    }
    return sum;
  }

  void requireRows(TokenBatch tokens) {
    if (tokens.rows() != rows()) {
      throw new IllegalArgumentException(
          "the readout has " + rows() + " rows, the tokens have " + tokens.rows());
    }
  }

  /** Returns the vector at a position. */
  static float[] position(Tensor tensor, int row, int pos, int width) {
    Shape shape = tensor.shape();
    if (shape.last() != width || shape.rank() != 3) {
      throw new ShapeMismatchException(
          "a readout needs [batch, pos, d_model=" + width + "], got " + shape);
    }
    shape.requireIndex(Axis.BATCH, row);
    shape.requireIndex(Axis.POS, pos);
    float[] x = new float[width];
    tensor.storage().read(((long) row * shape.size(Axis.POS) + pos) * width, x, 0, width);
    return x;
  }

  private static double[] doubles(Tensor tensor) {
    float[] values = tensor.toArray();
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }
}
