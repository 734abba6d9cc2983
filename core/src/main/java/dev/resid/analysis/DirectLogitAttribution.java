package dev.resid.analysis;

import dev.resid.analysis.ResidualStack.Term;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * What each part of the residual stream adds directly to a logit or a logit difference, with the
 * final layer norm's scale held at its value in the run: contribution = Σ_c (x_c −
 * mean(x))/scale·γ_c·u_c, where u is W_U[answer] − W_U[against]. With the scale held the readout is
 * linear, so the contributions and one constant (β·u + b_U) add up to it.
 *
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", direct effects
 *     on the logits; TransformerLens 2.16.1, {@code ActivationCache.logit_attrs}, which leaves out
 *     gain, offset and bias (they are 1 and 0 in its rewritten weights)
 */
public final class DirectLogitAttribution {
  private final TokenBatch tokens;
  private final List<String> names;
  private final double[][][] contributions;
  private final double[] constants;

  private DirectLogitAttribution(
      TokenBatch tokens, List<String> names, double[][][] contributions, double[] constants) {
    this.tokens = tokens;
    this.names = names;
    this.contributions = contributions;
    this.constants = constants;
  }

  /**
   * Returns the contributions of every term at every position.
   *
   * @param stack the stream, taken apart
   * @param readout what is explained, with as many rows
   * @throws IllegalArgumentException if the number of rows differs
   * @accuracy a few float64 roundings of the sum of magnitudes, against exact arithmetic on the
   *     captured activations
   */
  public static DirectLogitAttribution of(ResidualStack stack, LogitReadout readout) {
    TokenBatch tokens = stack.tokens();
    readout.requireRows(tokens);
    List<Term> terms = stack.terms();
    int width = stack.last().shape().size(Axis.D_MODEL);
    double[][][] contributions = new double[terms.size()][tokens.rows()][];
    for (int t = 0; t < terms.size(); t++) {
      Tensor values = terms.get(t).values();
      for (int row = 0; row < tokens.rows(); row++) {
        contributions[t][row] = new double[tokens.length(row)];
        for (int pos = 0; pos < tokens.length(row); pos++) {
          float[] x = LogitReadout.position(values, row, pos, width);
          double scale = stack.finalScale().get(row, pos, 0);
          contributions[t][row][pos] = readout.contribution(x, scale, row);
        }
      }
    }
    double[] constants = new double[tokens.rows()];
    for (int row = 0; row < tokens.rows(); row++) {
      constants[row] = readout.constant(row);
    }
    return new DirectLogitAttribution(
        tokens, terms.stream().map(Term::name).toList(), contributions, constants);
  }

  /** Returns the names of the terms, in the order of the forward pass. */
  public List<String> names() {
    return names;
  }

  /**
   * Returns what a term adds to the readout at a position.
   *
   * @throws IndexOutOfBoundsException if there is no such term, row or position
   */
  public double at(int term, int row, int pos) {
    return contributions[term][row][pos];
  }

  /** Returns what a term adds to the readout of each row at its last position. */
  public double[] atLast(int term) {
    double[] values = new double[tokens.rows()];
    for (int row = 0; row < values.length; row++) {
      values[row] = at(term, row, tokens.length(row) - 1);
    }
    return values;
  }

  /** Returns what no term brings to a row's readout: β·u + b_U. */
  public double constant(int row) {
    return constants[row];
  }

  /** Returns the sum of all terms and the constant at a position: the readout, up to rounding. */
  public double sum(int row, int pos) {
    double sum = constants[row];
    for (double[][] term : contributions) {
      sum += term[row][pos];
    }
    return sum;
  }
}
