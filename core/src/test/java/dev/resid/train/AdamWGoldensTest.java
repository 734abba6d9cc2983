package dev.resid.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.io.Safetensors;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Gradients;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Steps of AdamW on a small GPT-2, with and without clipping, as PyTorch makes them. */
class AdamWGoldensTest extends OnEachCpuBackend {
  private static final int STEPS = 3;

  private Gpt2 gpt2;
  private AdamW optimizer;
  private TrainingPlan plan;

  private void start(Golden golden) throws IOException {
    gpt2 = Gpt2.load(golden.model(), backend());
    optimizer = new AdamW(backend());
    JsonNode numbers = golden.json().path("optimizer");
    boolean matricesOnly = numbers.path("groups").asString().contains("2 or more");
    double decay = numbers.path("weight_decay").asDouble();
    for (Weight weight : Weight.all(gpt2.config())) {
      if (weight.name() == WeightNames.W_U || weight.name() == WeightNames.b_U) {
        continue; // tied, and not a parameter there
      }
      Tensor parameter = backend().allocate(weight.name().shape(gpt2.config()));
      backend().copy(gpt2.weights().get(weight), parameter);
      boolean decays = !matricesOnly || parameter.shape().rank() >= 2;
      optimizer.add(weight, parameter, decays ? decay : 0);
    }
    plan =
        new TrainingPlan(
            gpt2.config(),
            new LearningRate(numbers.path("lr").asDouble(), 0, STEPS, 1),
            2,
            2,
            numbers.path("betas").get(0).asDouble(),
            numbers.path("betas").get(1).asDouble(),
            numbers.path("eps").asDouble(),
            decay,
            numbers.path("clip_grad_norm").asDouble(Double.MAX_VALUE),
            0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2-adamw", "gpt2-adamw-groups-clip"})
  void threeStepsGiveTheSameParametersMomentsAndLosses(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/train/" + name));
    start(golden);
    JsonNode steps = golden.json().path("steps_float64");
    for (int step = 0; step < STEPS; step++) {
      TokenBatch rows = Golden.tokens(golden.json().path("token_batches").get(step));
      try (Tape tape = gpt2.record(rows)) {
        Gradients found = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
        Map<Weight, Tensor> gradients = new HashMap<>();
        optimizer.slots().keySet().forEach(w -> gradients.put(w, found.weight(w)));
        double norm = optimizer.update(gradients, plan);
        assertEquals(steps.get(step).path("loss").asDouble(), tape.crossEntropyNats().mean(), 1e-4);
        double expected = steps.get(step).path("grad_norm").asDouble();
        assertEquals(expected, norm, 1e-4 * expected, "norm of step " + (step + 1));
      }
      Map<Weight, Tensor> changed = new HashMap<>();
      optimizer.slots().forEach((weight, slot) -> changed.put(weight, slot.parameter()));
      gpt2.update(Gpt2Weights.of(gpt2.config(), changed));
      if (step == 0) {
        compare(golden, "parameters_after_1_step.safetensors");
      }
    }
    compare(golden, "parameters_after_3_steps.safetensors");
    moments(golden);
    TokenBatch first = Golden.tokens(golden.json().path("token_batches").get(0));
    assertEquals(
        golden.json().path("loss_on_first_batch_after_3_steps_float64").asDouble(),
        gpt2.crossEntropyNats(first).mean(),
        1e-4);
  }

  private void compare(Golden golden, String fileName) throws IOException {
    Tolerance tolerance = golden.tolerance("float32");
    Set<String> compared = new HashSet<>();
    try (Safetensors file = golden.open(fileName)) {
      for (Map.Entry<Weight, AdamW.Slot> entry : optimizer.slots().entrySet()) {
        Weight weight = entry.getKey();
        String key = "transformer." + weight.fileKey();
        compared.add(key);
        // The gradient of a key bias is 0 but for rounding, which Adam makes into steps.
        if (weight.name() != WeightNames.b_K) {
          check(golden.dir().getFileName() + " " + fileName + " " + weight)
              .close(third(file.doubles(key), weight), entry.getValue().parameter(), tolerance);
          check("weight of the model " + weight)
              .sameBits(entry.getValue().parameter(), gpt2.weights().get(weight));
        }
      }
      assertEquals(Set.copyOf(file.names()), compared);
    }
  }

  private void moments(Golden golden) throws IOException {
    try (Safetensors file = golden.open("optimizer_state_after_3_steps.safetensors")) {
      int compared = 0;
      for (Map.Entry<Weight, AdamW.Slot> entry : optimizer.slots().entrySet()) {
        String key = "transformer." + entry.getKey().fileKey();
        if (file.has(key + ".exp_avg")) {
          double[] first = third(file.doubles(key + ".exp_avg"), entry.getKey());
          double[] second = third(file.doubles(key + ".exp_avg_sq"), entry.getKey());
          // A gradient is right to 1e-5 + 1e-3 of itself (the hf cases); its square to twice that.
          check("first moment of " + key)
              .close(first, entry.getValue().moment1(), Tolerance.within(1e-5, 1e-3));
          check("second moment of " + key)
              .close(second, entry.getValue().moment2(), Tolerance.within(1e-6, 2e-3));
          compared++;
        }
      }
      assertEquals(5, compared, "the embedding, a gain, and a fused weight's thirds");
    }
  }

  private double[] third(double[] fused, Weight weight) {
    int third =
        switch (weight.name()) {
          case W_Q, b_Q -> 0;
          case W_K, b_K -> 1;
          case W_V, b_V -> 2;
          default -> -1;
        };
    if (third < 0) {
      return fused;
    }
    int width = gpt2.config().dModel();
    double[] part = new double[fused.length / 3];
    Arrays.setAll(part, i -> fused[i / width * 3 * width + third * width + i % width]);
    return part;
  }
}
