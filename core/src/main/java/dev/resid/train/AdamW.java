package dev.resid.train;

import dev.resid.model.Weight;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * AdamW over the weights of a model, with the gradient's norm clipped as a whole.
 *
 * @source Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2
 */
final class AdamW {
  private final Backend backend;
  private final Map<Weight, Slot> slots = new LinkedHashMap<>();
  private long step;

  AdamW(Backend backend) {
    this.backend = backend;
  }

  /** A parameter with its moments and its own decay. */
  record Slot(Tensor parameter, Tensor moment1, Tensor moment2, double weightDecay) {}

  /** Adds a parameter, which updates change in place. */
  void add(Weight weight, Tensor parameter, double weightDecay) {
    slots.put(
        weight,
        new Slot(
            parameter,
            backend.allocate(parameter.shape()),
            backend.allocate(parameter.shape()),
            weightDecay));
  }

  Map<Weight, Slot> slots() {
    return slots;
  }

  long step() {
    return step;
  }

  /** Goes on after a step, with moments the caller has filled in. */
  void resumeAfter(long doneSteps) {
    step = doneSteps;
  }

  /**
   * Makes one step and returns the norm of the gradient before clipping.
   *
   * @param gradients one for every parameter
   */
  double update(Map<Weight, Tensor> gradients, TrainingPlan plan) {
    step++;
    double squares = 0;
    for (Weight weight : slots.keySet()) {
      squares += backend.sumOfSquares(gradients.get(weight));
    }
    double norm = Math.sqrt(squares);
    double scale = norm > plan.clipNorm() ? plan.clipNorm() / norm : 1;
    for (Map.Entry<Weight, Slot> entry : slots.entrySet()) {
      Slot slot = entry.getValue();
      AdamStep numbers =
          new AdamStep(
              plan.rate().at(step),
              plan.beta1(),
              plan.beta2(),
              plan.epsilon(),
              slot.weightDecay(),
              scale,
              step);
      backend.adamW(
          numbers, slot.parameter(), gradients.get(entry.getKey()), slot.moment1(), slot.moment2());
    }
    return norm;
  }
}
