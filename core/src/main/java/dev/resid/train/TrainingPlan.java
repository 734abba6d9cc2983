package dev.resid.train;

import dev.resid.model.Gpt2Config;

/**
 * What a training run does; two runs with the same plan, text and backend end in the same bits.
 *
 * @param model architecture
 * @param rate learning rate by step; its total is the number of steps
 * @param batchRows rows a step
 * @param rowLength tokens a row, at most n_ctx
 * @param beta1 decay of Adam's first moment
 * @param beta2 decay of Adam's second moment
 * @param epsilon Adam's ε
 * @param weightDecay decoupled decay of matrices; gains, offsets and biases do not decay
 * @param clipNorm largest norm of the whole gradient
 * @param seed of the initial weights and of the order of rows
 */
public record TrainingPlan(
    Gpt2Config model,
    LearningRate rate,
    int batchRows,
    int rowLength,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double clipNorm,
    long seed) {
  /** Checks the ranges. */
  public TrainingPlan {
    if (batchRows < 1) {
      throw new IllegalArgumentException("batch is " + batchRows + " rows, must be at least 1");
    }
    if (rowLength < 2 || rowLength > model.nCtx()) {
      throw new IllegalArgumentException(
          "row length is " + rowLength + ", must be from 2 to the context of " + model.nCtx());
    }
    if (!(clipNorm > 0)) {
      throw new IllegalArgumentException("clip norm is " + clipNorm + ", must be above 0");
    }
  }

  /**
   * Returns a plan with the usual constants: β 0.9 and 0.98, ε 1e-8, decay 0.1, gradient norm 1.
   *
   * @param model architecture
   * @param rate learning rate by step
   * @param batchRows rows a step
   * @param rowLength tokens a row
   * @param seed of weights and order
   */
  public static TrainingPlan of(
      Gpt2Config model, LearningRate rate, int batchRows, int rowLength, long seed) {
    return new TrainingPlan(model, rate, batchRows, rowLength, 0.9, 0.98, 1e-8, 0.1, 1.0, seed);
  }

  /** Returns one line that two runs share only if they do the same. */
  String fingerprint() {
    return toString();
  }

  /**
   * Returns in words where the texts of two plans differ first, for example {@code sparsity=4.2
   * here and sparsity=2.6 there}.
   *
   * @param here of this run
   * @param there of the other one
   */
  public static String firstDifference(String here, String there) {
    String[] mine = here.split("[\\[\\], ]+");
    String[] theirs = there.split("[\\[\\], ]+");
    for (int i = 0; i < Math.min(mine.length, theirs.length); i++) {
      if (!mine[i].equals(theirs[i])) {
        return mine[i] + " here and " + theirs[i] + " there";
      }
    }
    return "it states more than this one";
  }
}
