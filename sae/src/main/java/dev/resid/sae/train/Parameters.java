package dev.resid.sae.train;

import dev.resid.io.DType;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.sae.SaeWeight;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

/** Parameters of an SAE in training, each with its gradient and Adam's two moments. */
final class Parameters {
  private final Backend backend;
  private final Map<SaeWeight, Slot> slots = new EnumMap<>(SaeWeight.class);

  /** One parameter. */
  private record Slot(Tensor parameter, Tensor gradient, Tensor moment1, Tensor moment2) {}

  Parameters(Backend backend, Map<SaeWeight, Tensor> initial) {
    this.backend = backend;
    initial.forEach(
        (weight, values) -> {
          Slot slot =
              new Slot(
                  backend.allocate(values.shape()),
                  backend.allocate(values.shape()),
                  backend.allocate(values.shape()),
                  backend.allocate(values.shape()));
          backend.copy(values, slot.parameter());
          slots.put(weight, slot);
        });
  }

  Tensor get(SaeWeight weight) {
    return slots.get(weight).parameter();
  }

  Tensor gradient(SaeWeight weight) {
    return slots.get(weight).gradient();
  }

  /** Returns copies of all parameters on the host. */
  Map<SaeWeight, Tensor> copies() {
    Map<SaeWeight, Tensor> copies = new EnumMap<>(SaeWeight.class);
    slots.forEach(
        (weight, slot) ->
            copies.put(weight, Tensor.of(slot.parameter().shape(), slot.parameter().toArray())));
    return copies;
  }

  void clearGradients() {
    slots
        .values()
        .forEach(slot -> backend.addScaled(slot.gradient(), -1, slot.gradient(), slot.gradient()));
  }

  /** Returns the norm of all gradients together. */
  double gradientNorm() {
    double squares = 0;
    for (Slot slot : slots.values()) {
      squares += backend.sumOfSquares(slot.gradient());
    }
    return Math.sqrt(squares);
  }

  /**
   * Makes one step of Adam.
   *
   * @param step its numbers
   * @param gradientNorm of all gradients together
   * @param clipNorm largest norm; longer gradients are scaled down to it
   */
  void update(AdamStep step, double gradientNorm, double clipNorm) {
    double scale = gradientNorm > clipNorm ? clipNorm / gradientNorm : 1;
    AdamStep clipped =
        new AdamStep(
            step.learningRate(),
            step.beta1(),
            step.beta2(),
            step.epsilon(),
            step.weightDecay(),
            scale * step.gradientScale(),
            step.step());
    slots
        .values()
        .forEach(
            slot ->
                backend.adamW(
                    clipped, slot.parameter(), slot.gradient(), slot.moment1(), slot.moment2()));
  }

  void save(SafetensorsWriter writer) {
    slots.forEach(
        (weight, slot) -> {
          writer.add("parameter." + weight, slot.parameter(), DType.F32);
          writer.add("moment1." + weight, slot.moment1(), DType.F32);
          writer.add("moment2." + weight, slot.moment2(), DType.F32);
        });
  }

  void load(Safetensors file) throws IOException {
    for (Map.Entry<SaeWeight, Slot> entry : slots.entrySet()) {
      Slot slot = entry.getValue();
      backend.copy(
          file.tensor("parameter." + entry.getKey(), slot.parameter().shape()), slot.parameter());
      backend.copy(
          file.tensor("moment1." + entry.getKey(), slot.moment1().shape()), slot.moment1());
      backend.copy(
          file.tensor("moment2." + entry.getKey(), slot.moment2().shape()), slot.moment2());
    }
  }
}
