package dev.resid.sae.train;

import dev.resid.sae.SaeWeight;
import dev.resid.tensor.Tensor;
import java.util.Map;

/**
 * A dictionary in training with the gradients of its loss. Features are dense here: training
 * touches most features of a step anyway, and the products are those of a backend.
 */
sealed interface Learner permits ApolloLearner, BloomLearner, TopKLearner {
  /** Returns the parameters and their gradients. */
  Parameters parameters();

  /** Returns copies of the parameters as they are published. */
  Map<SaeWeight, Tensor> published();

  /**
   * Adds the gradients of the loss on a step's activations, and its terms.
   *
   * @param x activations, all of the step, [R, d_in]
   * @param activity is told which features were active, after it was asked which are dead
   * @param sums receives the terms
   */
  void learn(Tensor x, FeatureActivity activity, StepSums sums);

  /** Ends the gradients of a step, before their norm is taken. */
  void finishGradients();

  /** Does to the parameters what has to hold after an update, and takes them into use. */
  default void afterUpdate() {
    refresh();
  }

  /** Takes changed parameters into use as they are: those of a checkpoint keep their bits. */
  void refresh();
}
