package dev.resid.sae;

import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.model.WeightTransforms;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.TensorAssert;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pre-activations, errors and spliced models, from SAELens and TransformerLens. */
class SaeSplicingGoldensTest extends OnEachCpuBackend {
  private static List<Path> cases() throws IOException {
    try (Stream<Path> dirs = Files.list(Shared.require("goldens/saelens"))) {
      return dirs.sorted().toList();
    }
  }

  @Test
  void splicedModelsPredictAsThere() throws IOException {
    for (Path dir : cases()) {
      Golden golden = Golden.of(dir);
      Sae sae = SaeCheckpoint.load(dir.resolve("sae"), backend());
      try (Safetensors expected = golden.open("expected.safetensors")) {
        Tensor x = expected.tensor("x");
        Tolerance outputs = golden.tolerance("sae_outputs_float32");
        String name = dir.getFileName().toString();
        Golden.compare(
            check(name + " pre"), expected, "pre_activations", sae.preActivations(x), outputs);
        Golden.compare(
            check(name + " error"), expected, "error", x.minus(sae.reconstruct(x)), outputs);
        splices(golden, expected, sae, name);
      }
    }
  }

  private void splices(Golden golden, Safetensors expected, Sae sae, String name)
      throws IOException {
    if (!expected.names().contains("spliced_logits")) {
      return;
    }
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    Tolerance logits = golden.tolerance("logits_float32");
    Golden.compare(
        check(name + " spliced"),
        expected,
        "spliced_logits",
        gpt2.forward(tokens, sae.hookPoint().replace(sae.splice(SpliceMode.RECONSTRUCTION)))
            .logits(),
        logits);
    if (expected.names().contains("model_logits")) {
      Golden.compare(
          check(name + " with error"),
          expected,
          "model_logits",
          gpt2.forward(tokens, sae.hookPoint().replace(sae.splice(SpliceMode.WITH_ERROR))).logits(),
          logits);
    }
    if (expected.names().contains("feature_ablated_with_error_term_logits")) {
      FeatureEdit ablated =
          FeatureEdits.zero(golden.json().path("info").path("ablated_feature").asInt());
      Golden.compare(
          check(name + " ablated"),
          expected,
          "feature_ablated_with_error_term_logits",
          gpt2.forward(tokens, sae.hookPoint().replace(sae.splice(SpliceMode.WITH_ERROR, ablated)))
              .logits(),
          logits);
    }
  }

  /** A constant for the average norm, which this file states outside the SAE's own files. */
  @Test
  void anInputScaleIsAppliedAndUndone() throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/saelens/v6-standard-expected-average"));
    Sae loaded = SaeCheckpoint.load(golden.dir().resolve("sae"), backend());
    SaeConfig c = loaded.config();
    SaeConfig scaled =
        new SaeConfig(
            c.name(),
            c.architecture(),
            c.dIn(),
            c.dSae(),
            c.dOut(),
            c.k(),
            c.topKScale(),
            Normalization.EXPECTED_AVERAGE_NORM,
            golden.json().path("info").path("scaling_factor").asDouble(),
            c.decoderBias(),
            c.point(),
            c.outputPoint(),
            c.weights(),
            c.provenance());
    Sae sae = Sae.of(scaled, loaded.weights(), backend());
    try (Safetensors expected = golden.open("expected.safetensors")) {
      Tensor x = expected.tensor("x");
      Tolerance tolerance = golden.tolerance("sae_outputs_float32");
      Golden.compare(
          check("features"), expected, "scaled.feature_acts", sae.encode(x).toDense(), tolerance);
      Golden.compare(
          check("reconstruction"),
          expected,
          "scaled.reconstruction",
          sae.decode(sae.encode(x)),
          tolerance);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "standard-base-2x32, no_processing",
    "standard-base-2x32, default_processing",
    "topk-prefixed-3x48, no_processing",
    "topk-prefixed-3x48, default_processing"
  })
  void replacingByTheReconstructionChangesPredictionsAsThere(String name, String variant)
      throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/perturbation/" + name));
    Gpt2 gpt2 =
        Gpt2.load(
            golden.model(),
            backend(),
            variant.equals("no_processing")
                ? WeightTransforms.none()
                : WeightTransforms.transformerLens());
    Sae sae =
        SaeCheckpoint.load(golden.root().resolve(golden.json().path("sae").asString()), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    HookPoint last = HookPoint.parse(golden.json().path("last_resid_post").asString());
    try (Safetensors expected = golden.open("expected.safetensors");
        BaseRun base = gpt2.baseRun(tokens, sae.hookPoint(), last)) {
      Tensor x = base.activation();
      // The 1e-4 of the other SAE outputs: the input itself differs by rounding here.
      Golden.compare(
          check(name + " reconstruction"),
          expected,
          variant + ".sae_reconstruction",
          sae.reconstruct(x),
          Tolerance.within(1e-4, 1e-4));
      for (Map.Entry<String, Tensor> one : replacements(golden, sae, x).entrySet()) {
        Continuation changed = base.continueWith(one.getValue());
        String key = variant + "." + one.getKey();
        compare(golden, expected, key + ".kl_f64", "kl_float32", changed.klNats());
        compare(golden, expected, key + ".l2_f64", "l2_float32", changed.l2At(last));
        compare(golden, expected, key + ".ce_f64", "ce_float32", changed.crossEntropyNats());
      }
    }
  }

  private void compare(
      Golden golden, Safetensors expected, String key, String tolerance, PositionValues actual)
      throws IOException {
    TensorAssert check = check(golden.dir().getFileName() + " " + key);
    check.close(
        expected.entry(key).unnamedShape(),
        expected.doubles(key),
        rows(actual),
        golden.tolerance(tolerance));
  }

  private static Map<String, Tensor> replacements(Golden golden, Sae sae, Tensor x) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    Tensor reconstruction = sae.reconstruct(x);
    all.put("sae", reconstruction);
    int chosen = golden.json().path("position_of_one_position").asInt();
    all.put("sae_one_position", x.with(Axis.POS, chosen, reconstruction.at(Axis.POS, chosen)));
    double[] alphas = Golden.doubles(golden.json().path("alphas"));
    float[] from = x.toArray();
    float[] to = reconstruction.toArray();
    int width = x.shape().last();
    for (int a = 0; a < alphas.length; a++) {
      float[] moved = new float[from.length];
      for (int r = 0; r < from.length; r += width) {
        double squares = 0;
        for (int i = r; i < r + width; i++) {
          squares += Math.pow((double) to[i] - from[i], 2);
        }
        for (int i = r; i < r + width; i++) {
          moved[i] = (float) (from[i] + alphas[a] * (to[i] - from[i]) / Math.sqrt(squares));
        }
      }
      all.put("sae_error_direction." + a, Tensor.wrap(x.shape(), moved));
    }
    return all;
  }

  /** The error direction at the length of the error is the substitution itself. */
  @Test
  void theErrorDirectionEndsAtTheReconstruction() throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/perturbation/standard-base-2x32"));
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    Sae sae =
        SaeCheckpoint.load(golden.root().resolve(golden.json().path("sae").asString()), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    try (BaseRun base = gpt2.baseRun(tokens, sae.hookPoint())) {
      Tensor x = base.activation();
      Tensor moved = x.plus(sae.reconstruct(x).minus(x));
      // x + (x̂ − x) is x̂ up to rounding; the golden's tolerance of such a KL.
      double[] substituted = rows(base.continueWith(sae.reconstruct(x)).klNats());
      double[] extrapolated = rows(base.continueWith(moved).klNats());
      check("KL")
          .close(
              Shape.of(Axis.ROW, substituted.length),
              substituted,
              extrapolated,
              golden.tolerance("kl_float32"));
    }
  }

  private static double[] rows(PositionValues values) {
    return IntStream.range(0, values.rows())
        .mapToObj(values::row)
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }
}
