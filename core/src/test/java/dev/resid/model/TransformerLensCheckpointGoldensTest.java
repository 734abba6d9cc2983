package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.Safetensors;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Config.ScoreScale;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tensor.TopK;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/**
 * A trained model with GPT-2's vocabulary whose weights carry TransformerLens names: untied, exact
 * gelu, one head of width 4.
 */
class TransformerLensCheckpointGoldensTest extends OnEachCpuBackend {
  private static Golden golden() throws IOException {
    return Golden.of(Shared.require("goldens/e2e_sae/tiny-gpt2-checkpoint"));
  }

  private Gpt2 load(Golden golden) throws IOException {
    Gpt2Config config =
        new Gpt2Config(
            2,
            1,
            4,
            16,
            50257,
            1024,
            Activation.GELU,
            1e-5,
            ScoreScale.BY_WIDTH,
            Embeddings.UNTIED,
            OptionalInt.empty(),
            OptionalInt.empty());
    Map<Weight, Tensor> weights = new HashMap<>();
    try (Safetensors file = golden.open("model.safetensors")) {
      for (Weight weight : Weight.all(config)) {
        Tensor lens = file.tensor(weight.lensName(), weight.name().lensShape(config));
        Tensor ours = weight.name() == WeightNames.W_U ? transposed(lens) : lens;
        // With a single head splitting by head is a change of shape only.
        weights.put(weight, ours.reshape(weight.name().shape(config)));
      }
    }
    return Gpt2.of(Gpt2Weights.of(config, weights), backend());
  }

  private static Tensor transposed(Tensor matrix) {
    int rows = matrix.shape().sizes()[0];
    int columns = matrix.shape().last();
    float[] from = matrix.toArray();
    float[] to = new float[from.length];
    for (int i = 0; i < from.length; i++) {
      to[i % columns * rows + i / columns] = from[i];
    }
    return Tensor.wrap(matrix.shape(), to);
  }

  @Test
  void activationsLogitsAndLossAgree() throws IOException {
    Golden golden = golden();
    Gpt2 gpt2 = load(golden);
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    Tolerance tolerance = golden.tolerance("logits_float32");
    ForwardResult run =
        gpt2.forward(
            tokens, HookPoint.all(2).stream().map(HookPoint::capture).toArray(Capture[]::new));
    try (Safetensors expected = golden.open("expected.safetensors")) {
      for (HookPoint point : HookPoint.all(2)) {
        if (point.site() != Site.RESULT) {
          Golden.compare(
              check(point.name()), expected, "cache." + point, run.cache().get(point), tolerance);
        }
      }
      int last = tokens.maxLength() - 1;
      Golden.compare(
          check("logits"),
          expected,
          "logits_last_position",
          run.logits().at(Axis.POS, last),
          tolerance);
      TopK top = backend().topK(run.logits(), 5);
      long[] indices = expected.longs("top5_indices");
      double[] values = expected.doubles("top5_values");
      for (int i = 0; i < indices.length; i++) {
        assertEquals(indices[i], top.indices()[i], "rank " + i);
        assertEquals(values[i], top.values()[i], tolerance.allowed(i, values[i]), "rank " + i);
      }
    }
    assertEquals(
        golden.json().path("loss_float64").asDouble(), gpt2.crossEntropyNats(tokens).mean(), 1e-5);
  }
}
