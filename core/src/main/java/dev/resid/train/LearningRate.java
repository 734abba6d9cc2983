package dev.resid.train;

/**
 * Learning rate by step: linear from 0 over the warm-up, then a half cosine from the peak down to a
 * fraction of it at the last step.
 *
 * @param peak rate after the warm-up, above 0
 * @param warmupSteps steps of the warm-up, at least 0
 * @param totalSteps steps of the whole run, more than those of the warm-up
 * @param finalFraction share of the peak at the end, from 0 to 1
 */
public record LearningRate(double peak, int warmupSteps, int totalSteps, double finalFraction) {
  /** Checks the ranges. */
  public LearningRate {
    if (!(peak > 0)) {
      throw new IllegalArgumentException("the learning rate is " + peak + ", must be above 0");
    }
    if (warmupSteps < 0 || totalSteps <= warmupSteps) {
      throw new IllegalArgumentException(
          "warm-up of " + warmupSteps + " steps does not fit a run of " + totalSteps);
    }
    if (!(finalFraction >= 0 && finalFraction <= 1)) {
      throw new IllegalArgumentException(
          "the final fraction is " + finalFraction + ", must be from 0 to 1");
    }
  }

  /**
   * Returns the rate of a step.
   *
   * @param step from 1 to {@code totalSteps}
   */
  public double at(long step) {
    if (step <= warmupSteps) {
      return peak * step / warmupSteps;
    }
    double progress = Math.min(1.0, (double) (step - warmupSteps) / (totalSteps - warmupSteps));
    double cosine = 0.5 * (1 + StrictMath.cos(Math.PI * progress));
    return peak * (finalFraction + (1 - finalFraction) * cosine);
  }
}
