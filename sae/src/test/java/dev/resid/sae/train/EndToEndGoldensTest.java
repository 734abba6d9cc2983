package dev.resid.sae.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.model.Gpt2;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.metric.SaeEvaluator;
import dev.resid.sae.metric.SaeMetric;
import dev.resid.sae.metric.SaeReport;
import dev.resid.sae.metric.TokenScope;
import dev.resid.sae.testing.SmallSaes;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.LearningRate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Losses, gradients, optimiser steps, schedules and metrics of Apollo Research's e2e_sae 2.1.1. */
class EndToEndGoldensTest extends OnEachCpuBackend {
  /** Name of each parameter in the reference, and whether it is stored transposed. */
  private enum Stored {
    W_enc("encoder.0.weight"),
    b_enc("encoder.0.bias"),
    W_dec("decoder.weight"),
    b_dec("decoder.bias");

    private final String suffix;

    Stored(String suffix) {
      this.suffix = suffix;
    }

    SaeWeight weight() {
      return SaeWeight.valueOf(name());
    }

    double[] read(Safetensors file, HookPoint point, int dIn, int dSae) throws IOException {
      double[] values = file.doubles(point.name().replace('.', '-') + "." + suffix);
      return switch (this) {
        case W_enc -> transposed(values, dSae, dIn);
        case W_dec -> transposed(values, dIn, dSae);
        default -> values;
      };
    }

    private static double[] transposed(double[] values, int rows, int columns) {
      double[] out = new double[values.length];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          out[c * rows + r] = values[r * columns + c];
        }
      }
      return out;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "e2e", "e2e-downstream"})
  void lossesGradientsAndStepsAgree(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/e2e_sae/" + name));
    JsonNode json = golden.json();
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    HookPoint point = HookPoint.parse(json.path("sae_positions").get(0).asString());
    SaeLoss loss = loss(json.path("loss_config"));
    int dIn = gpt2.config().dModel();
    int dSae = (int) (dIn * json.path("dict_size_to_input_ratio").asDouble());
    ApolloLearner learner = new ApolloLearner(backend(), before(golden, point, dIn, dSae), loss);
    JsonNode training = json.path("training");
    double clip = training.path("max_grad_norm").asDouble();
    for (int step = 1; step <= 3; step++) {
      TokenBatch rows = Golden.tokens(json.path("token_batches").get(step - 1));
      SaeTrainingStep seen = learn(learner, gpt2, point, loss, rows);
      JsonNode expected = training.path("steps_float64").get(step - 1);
      close("loss", expected.path("loss").asDouble(), seen.loss());
      close(
          "gradient norm",
          expected.path("grad_norm_before_clipping").asDouble(),
          seen.gradientNorm());
      if (step == 1) {
        terms(json, point, loss, seen);
        gradients(golden, learner, point, dIn, dSae);
      }
      double rate = training.path("lr").asDouble();
      learner
          .parameters()
          .update(new AdamStep(rate, 0.9, 0.999, 1e-8, 0, 1, step), seen.gradientNorm(), clip);
      learner.refresh();
      if (step != 2) {
        String file =
            step == 1 ? "saes_after_1_step.safetensors" : "saes_after_3_steps.safetensors";
        parameters(golden, file, learner, point, dIn, dSae);
      }
    }
  }

  private static SaeLoss loss(JsonNode config) {
    List<HookPoint> later = new ArrayList<>();
    JsonNode downstream = config.path("in_to_orig");
    downstream.path("hook_positions").forEach(hook -> later.add(HookPoint.parse(hook.asString())));
    return new SaeLoss(
        config.path("out_to_in").path("coeff").asDouble(0),
        config.path("logits_kl").path("coeff").asDouble(0),
        downstream.path("total_coeff").asDouble(0),
        later,
        config.path("sparsity").path("coeff").asDouble());
  }

  private static Map<SaeWeight, Tensor> before(Golden golden, HookPoint point, int dIn, int dSae)
      throws IOException {
    Map<SaeWeight, Tensor> before = new EnumMap<>(SaeWeight.class);
    try (Safetensors file = golden.open("saes_before.safetensors")) {
      for (Stored stored : Stored.values()) {
        double[] values = stored.read(file, point, dIn, dSae);
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
          floats[i] = (float) values[i];
        }
        before.put(stored.weight(), Tensor.of(stored.weight().shape(dIn, dSae, dIn), floats));
      }
    }
    return before;
  }

  private SaeTrainingStep learn(
      ApolloLearner learner, Gpt2 gpt2, HookPoint point, SaeLoss loss, TokenBatch rows) {
    learner.parameters().clearGradients();
    StepSums sums = new StepSums(rows.tokenCount());
    FeatureActivity activity =
        new FeatureActivity(learner.parameters().get(SaeWeight.b_enc).shape().last());
    if (loss.isLocal()) {
      learner.learn(gpt2.capture(rows, point.capture()).get(point), activity, sums);
    } else {
      learner.learn(new SplicedRun(gpt2, point, loss, rows, rows.tokenCount()), activity, sums);
    }
    learner.finishGradients();
    return sums.step(0, learner.parameters().gradientNorm());
  }

  private static void close(String what, double expected, double actual) {
    assertEquals(expected, actual, 1e-4 * Math.abs(expected), what);
  }

  private static void terms(JsonNode json, HookPoint point, SaeLoss loss, SaeTrainingStep seen) {
    JsonNode terms = json.path("loss").path("terms_float64");
    close("S", terms.path("loss/train/sparsity/" + point).asDouble(), seen.sparsity());
    close("MSE", terms.path("loss/train/out_to_in/" + point).asDouble(), seen.reconstruction());
    if (loss.kl() > 0) {
      close("KL", terms.path("loss/train/logits_kl").asDouble(), seen.kl());
    }
    double downstream = 0;
    for (HookPoint later : loss.downstreamPoints()) {
      downstream +=
          terms.path("loss/train/in_to_orig/" + later).asDouble() / loss.downstreamPoints().size();
    }
    close("downstream", downstream, seen.downstream());
    assertEquals(json.path("sae").path("mean_l0").asDouble(), seen.l0(), 1e-9, "L0");
  }

  private void gradients(Golden golden, ApolloLearner learner, HookPoint point, int dIn, int dSae)
      throws IOException {
    JsonNode allowed = golden.json().path("tolerance").path("gradients_float32");
    Tolerance tolerance =
        Tolerance.within(allowed.path("abs").asDouble(), allowed.path("rel").asDouble());
    try (Safetensors file = golden.open("gradients.safetensors")) {
      for (Stored stored : Stored.values()) {
        check("gradient of " + stored)
            .close(
                stored.read(file, point, dIn, dSae),
                learner.parameters().gradient(stored.weight()),
                tolerance);
      }
    }
  }

  private void parameters(
      Golden golden, String name, ApolloLearner learner, HookPoint point, int dIn, int dSae)
      throws IOException {
    JsonNode allowed = golden.json().path("tolerance").path("parameters_after_float32");
    Tolerance tolerance = Tolerance.within(allowed.path("abs").asDouble(), 0);
    try (Safetensors file = golden.open(name)) {
      for (Stored stored : Stored.values()) {
        check(name + ", " + stored)
            .close(
                stored.read(file, point, dIn, dSae),
                learner.parameters().get(stored.weight()),
                tolerance);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "e2e", "e2e-downstream"})
  void metricsAgree(String name) throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/e2e_sae/" + name));
    JsonNode json = golden.json();
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    HookPoint point = HookPoint.parse(json.path("sae_positions").get(0).asString());
    int dIn = gpt2.config().dModel();
    int dSae = (int) (dIn * json.path("dict_size_to_input_ratio").asDouble());
    ApolloLearner learner =
        new ApolloLearner(
            backend(), before(golden, point, dIn, dSae), loss(json.path("loss_config")));
    SaeConfig config = SmallSaes.config(point, dIn, dSae);
    Sae sae =
        Sae.of(
            new SaeConfig(
                name,
                config.architecture(),
                dIn,
                dSae,
                dIn,
                config.k(),
                config.topKScale(),
                config.normalization(),
                1,
                DecoderBias.ADDED,
                point,
                point,
                config.weights(),
                config.provenance()),
            new SaeWeights(learner.published()),
            backend());
    TokenBatch rows = Golden.tokens(json.path("token_batches").get(0));
    SaeReport report = new SaeEvaluator(gpt2, sae).report(rows);
    JsonNode values = json.path("metrics_float64").path("values");
    close(
        "clean CE",
        values.path("performance/eval/orig_model_ce_loss").asDouble(),
        report.get(SaeMetric.CE_CLEAN, TokenScope.ALL));
    close(
        "CE with the SAE",
        values.path("performance/eval/sae_model_ce_loss").asDouble(),
        report.get(SaeMetric.CE_SAE, TokenScope.ALL));
    double l0 = report.get(SaeMetric.L0, TokenScope.ALL);
    assertEquals(values.path("sparsity/eval/L_0/" + point).asDouble(), l0, 1e-9, "L0");
    close(
        "share of zeros",
        values.path("sparsity/eval/frac_zeros/" + point).asDouble(),
        1 - l0 / dSae);
  }

  @Test
  void theCosineScheduleAgrees() throws IOException {
    Golden golden = Golden.of(Shared.require("goldens/e2e_sae/lr-schedules"));
    JsonNode cosine = golden.json().path("cosine");
    JsonNode arguments = cosine.path("arguments");
    LearningRate rate =
        new LearningRate(
            1,
            arguments.path("num_warmup_steps").asInt(),
            arguments.path("num_training_steps").asInt(),
            arguments.path("min_lr_factor").asDouble());
    JsonNode factors = cosine.path("factors");
    for (int step = 1; step < factors.size(); step++) {
      assertEquals(factors.get(step).asDouble(), rate.at(step), 1e-9, "step " + step);
    }
  }
}
