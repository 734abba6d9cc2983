package dev.resid.sae.train;

/** Sums over the passes of one step; means are already divided by the tokens of the whole step. */
final class StepSums {
  final int tokens;
  double loss;
  double reconstruction;
  double kl;
  double downstream;
  double sparsity;
  double auxiliary;
  long active;

  StepSums(int tokens) {
    this.tokens = tokens;
  }

  /** Returns what the step saw. */
  SaeTrainingStep step(double dead, double gradientNorm) {
    return new SaeTrainingStep(
        loss,
        reconstruction,
        kl,
        downstream,
        sparsity,
        auxiliary,
        (double) active / tokens,
        dead,
        gradientNorm);
  }
}
