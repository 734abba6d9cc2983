package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.Hook;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Site;
import dev.resid.io.Safetensors;
import dev.resid.reference.Distributions;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Perturbing, ablating and patching with hooks, and what it does to predictions: logits, KL in both
 * directions and L2 as TransformerLens computes them.
 */
class InterventionGoldensTest extends OnEachCpuBackend {
  private static final String BASE = "base-2x32";
  private static final String PREFIXED = "prefixed-3x48";
  private static final String RELU = "ninner-relu";
  private static final String INVERSE = "inverse-layer-gelu";

  private static Golden golden(String name) throws IOException {
    return Golden.of(Shared.require("goldens/tlens/" + name));
  }

  private static JsonNode entry(Golden golden, String key) {
    for (JsonNode entry : golden.json().path("interventions").path("keys")) {
      if (entry.path("key").asString().equals(key)) {
        return entry;
      }
    }
    throw new IllegalArgumentException("no intervention " + key + " in " + golden.dir());
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void interventionsChangePredictionsAsThere(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    Run clean = new Run(gpt2, tokens);
    try (Safetensors expected = golden.open("interventions.safetensors")) {
      for (Map.Entry<String, Hook[]> one : interventions(golden, gpt2, expected).entrySet()) {
        Run changed = new Run(gpt2, tokens, one.getValue());
        compare(golden, expected, one.getKey(), clean, changed);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void continuedRunsGiveTheSame(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    HookPoint last =
        HookPoint.parse(golden.json().path("interventions").path("last_resid_post").asString());
    int compared = 0;
    try (Safetensors expected = golden.open("interventions.safetensors")) {
      for (Map.Entry<String, Hook[]> one : interventions(golden, gpt2, expected).entrySet()) {
        HookPoint point = one.getValue()[0].point();
        if (one.getValue().length > 1 || point.site() == Site.PATTERN) {
          continue;
        }
        String key = one.getKey();
        try (BaseRun base = gpt2.baseRun(tokens, point)) {
          Intervention change = ((dev.resid.hook.Replace) one.getValue()[0]).intervention();
          Continuation changed =
              base.continueWith(change.apply(base.activation(), new dev.resid.hook.At(point, 0)));
          compare(golden, expected, key + ".kl_base_pert_f64", "kl", changed.klNats());
          compare(golden, expected, key + ".l2_last_resid_post_f64", "l2", changed.l2At(last));
          compared++;
        }
      }
    }
    assertEquals(25, compared);
  }

  private void compare(
      Golden golden, Safetensors expected, String key, String tolerance, PositionValues actual)
      throws IOException {
    double[] all =
        IntStream.range(0, actual.rows())
            .mapToObj(actual::row)
            .flatMapToDouble(Arrays::stream)
            .toArray();
    check(golden.dir().getFileName() + " " + key)
        .close(
            expected.entry(key).unnamedShape(),
            expected.doubles(key),
            all,
            golden.tolerance(tolerance));
  }

  private void compare(Golden golden, Safetensors expected, String key, Run clean, Run changed)
      throws IOException {
    String what = golden.dir().getFileName() + " " + key;
    if (expected.has(key + ".logits")) {
      Golden.compare(
          check(what + " logits"),
          expected,
          key + ".logits",
          changed.logits,
          golden.tolerance("cache_float32"));
    }
    Shape shape = expected.entry(key + ".kl_base_pert_f64").unnamedShape();
    double[] forwards = expected.doubles(key + ".kl_base_pert_f64");
    double[] backwards = expected.doubles(key + ".kl_pert_base_f64");
    Tolerance kl = golden.tolerance("kl");
    check(what + " KL(clean, changed)").close(shape, forwards, clean.klTo(changed), kl);
    check(what + " KL(changed, clean)").close(shape, backwards, changed.klTo(clean), kl);
    check(what + " KL(clean, changed) of the logits")
        .close(shape, forwards, clean.klOfLogitsTo(changed), kl);
    check(what + " KL(changed, clean) of the logits")
        .close(shape, backwards, changed.klOfLogitsTo(clean), kl);
    check(what + " L2")
        .close(
            shape,
            expected.doubles(key + ".l2_last_resid_post_f64"),
            backend().l2Distance(changed.lastResid, clean.lastResid),
            golden.tolerance("l2"));
  }

  /** One forward pass, and its distributions by way of the final layer norm. */
  private final class Run {
    private final Tensor logits;
    private final Tensor normalized;
    private final Tensor lastResid;
    private final Matrix unembedding;
    private final Tensor bias;

    Run(Gpt2 gpt2, TokenBatch tokens, Hook... hooks) {
      HookPoint norm = HookPoint.at(Site.LN_FINAL_NORMALIZED);
      HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
      List<Hook> all = new ArrayList<>(List.of(hooks));
      all.addAll(List.of(norm.capture(), last.capture()));
      ForwardResult result = gpt2.forward(tokens, all.toArray(Hook[]::new));
      this.logits = result.logits();
      this.normalized = result.cache().get(norm);
      this.lastResid = result.cache().get(last);
      this.unembedding = backend().packTransposed(gpt2.weights().get(Weight.of(WeightNames.W_U)));
      this.bias = gpt2.weights().get(Weight.of(WeightNames.b_U));
    }

    double[] klTo(Run other) {
      return backend().unembedKl(normalized, other.normalized, unembedding, bias);
    }

    double[] klOfLogitsTo(Run other) {
      int vocabulary = logits.shape().last();
      double[] p = Reference.doubles(logits);
      double[] q = Reference.doubles(other.logits);
      double[] kl = new double[p.length / vocabulary];
      Arrays.setAll(
          kl,
          i ->
              Distributions.kl(
                  Float64Gpt2.part(p, i, vocabulary), Float64Gpt2.part(q, i, vocabulary)));
      return kl;
    }
  }

  /** Returns the hooks of every intervention of a case by its key. */
  private static Map<String, Hook[]> interventions(Golden golden, Gpt2 gpt2, Safetensors expected)
      throws IOException {
    Map<String, Hook[]> all = new LinkedHashMap<>();
    int layers = gpt2.config().nLayers();
    double[] direction = expected.doubles("direction");
    JsonNode everywhere = entry(golden, "add_all_positions.<i>");
    HookPoint point = HookPoint.parse(everywhere.path("hook").asString());
    double[] alphas = Golden.doubles(everywhere.path("alphas"));
    int chosen = entry(golden, "add_one_position.<i>").path("position").asInt();
    for (int i = 0; i < alphas.length; i++) {
      double alpha = alphas[i];
      all.put("add_all_positions." + i, hook(point, (x, pos) -> add(x, alpha, direction)));
      all.put(
          "add_one_position." + i,
          hook(point, (x, pos) -> pos == chosen ? add(x, alpha, direction) : x));
    }
    double[] parts = Golden.doubles(entry(golden, "add_relative.<i>").path("alphas"));
    for (int i = 0; i < parts.length; i++) {
      double part = parts[i];
      all.put(
          "add_relative." + i,
          hook(
              point,
              (x, pos) ->
                  add(x, part * Distributions.distance(x, new double[x.length]), direction)));
    }
    JsonNode interpolate = entry(golden, "interpolate.<i>");
    Tensor other =
        gpt2.capture(Golden.tokens(interpolate.path("other_input_ids")), point.capture())
            .get(point);
    double[] ts = Golden.doubles(interpolate.path("t"));
    for (int i = 0; i < ts.length; i++) {
      double t = ts[i];
      all.put(
          "interpolate." + i,
          new Hook[] {point.replace((x, at) -> x.plus(other.minus(x).times(t)))});
    }
    HookPoint z = HookPoint.parse(entry(golden, "zero_head").path("hook").asString());
    String what = entry(golden, "zero_head").path("what").asString();
    int head = Integer.parseInt(what.replaceAll(".*, (\\d+), :].*", "$1"));
    all.put(
        "zero_head",
        new Hook[] {z.replace((x, at) -> x.with(Axis.HEAD, head, x.at(Axis.HEAD, head).times(0)))});
    HookPoint mlp = HookPoint.mlpOut(0);
    all.put("mean_mlp", new Hook[] {mlp.replace((x, at) -> mean(x, x.shape().size(Axis.POS)))});
    all.put("mean_mlp_per_position", new Hook[] {mlp.replace((x, at) -> mean(x, 1))});
    all.put(
        "uniform_attention",
        IntStream.range(0, layers)
            .mapToObj(l -> HookPoint.pattern(l).replace((x, at) -> uniform(x.shape())))
            .toArray(Hook[]::new));
    List<Hook> several = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      several.add(HookPoint.attnOut(layer).replace((x, at) -> x.times(0)));
    }
    several.add(mlp.replace((x, at) -> x.times(0.5)));
    all.put("several_hooks", several.toArray(Hook[]::new));
    return all;
  }

  /** A change of the vector at one position. */
  @FunctionalInterface
  private interface VectorChange {
    double[] apply(double[] x, int pos);
  }

  private static Hook[] hook(HookPoint point, VectorChange change) {
    return new Hook[] {
      point.replace(
          (x, at) -> {
            int width = x.shape().last();
            int length = x.shape().size(Axis.POS);
            float[] values = x.toArray();
            for (int row = 0; row < values.length / width; row++) {
              double[] vector = new double[width];
              for (int c = 0; c < width; c++) {
                vector[c] = values[row * width + c];
              }
              double[] changed = change.apply(vector, row % length);
              for (int c = 0; c < width; c++) {
                values[row * width + c] = (float) changed[c];
              }
            }
            return Tensor.wrap(x.shape(), values);
          })
    };
  }

  private static double[] add(double[] x, double factor, double[] direction) {
    double[] sum = new double[x.length];
    Arrays.setAll(sum, c -> x[c] + factor * direction[c]);
    return sum;
  }

  /** Returns the mean over the batch and over blocks of that many positions. */
  private static Tensor mean(Tensor x, int block) {
    int width = x.shape().last();
    int length = x.shape().size(Axis.POS);
    int rows = x.shape().size(Axis.BATCH);
    float[] values = x.toArray();
    double[] sums = new double[length / block * width];
    for (int i = 0; i < values.length; i++) {
      sums[i / width % length / block * width + i % width] += values[i];
    }
    float[] means = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      means[i] =
          (float) (sums[i / width % length / block * width + i % width] / ((double) rows * block));
    }
    return Tensor.wrap(x.shape(), means);
  }

  private static Tensor uniform(Shape shape) {
    int keys = shape.size(Axis.KEY_POS);
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      int query = i / keys % shape.size(Axis.POS);
      values[i] = i % keys <= query ? 1f / (query + 1) : 0;
    }
    return Tensor.wrap(shape, values);
  }

  /** One activation of a run is put into the run of other tokens, layer by layer. */
  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU})
  void patchingGivesTheSameLogitDifferences(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    JsonNode entry = entry(golden, "act_patch.*");
    TokenBatch clean = Golden.tokens(golden.json().path("input_ids"));
    TokenBatch corrupted = Golden.tokens(entry.path("corrupted_input_ids"));
    int[][] answers =
        IntStream.range(0, clean.rows())
            .mapToObj(row -> Golden.ints(entry.path("answers").get(row)))
            .toArray(int[][]::new);
    double allowed = 2 * golden.tolerance("cache_float32").allowed(0, 1); // of a difference
    assertEquals(
        entry.path("metric_of_clean").asDouble(), difference(gpt2, clean, answers), allowed);
    assertEquals(
        entry.path("metric_of_corrupted").asDouble(),
        difference(gpt2, corrupted, answers),
        allowed);
    Map<String, Site> sites =
        Map.of(
            "resid_pre",
            Site.RESID_PRE,
            "attn_out",
            Site.ATTN_OUT,
            "mlp_out",
            Site.MLP_OUT,
            "head_z_all_positions",
            Site.Z);
    try (Safetensors expected = golden.open("interventions.safetensors")) {
      for (Map.Entry<String, Site> site : sites.entrySet()) {
        Axis axis = site.getValue() == Site.Z ? Axis.HEAD : Axis.POS;
        double[] want = expected.doubles("act_patch." + site.getKey());
        int columns = want.length / gpt2.config().nLayers();
        for (int i = 0; i < want.length; i++) {
          HookPoint point = HookPoint.at(site.getValue(), i / columns);
          Tensor donor = gpt2.capture(clean, point.capture()).get(point);
          int index = i % columns;
          double got =
              difference(
                  gpt2,
                  corrupted,
                  answers,
                  point.replace((x, at) -> x.with(axis, index, donor.at(axis, index))));
          assertEquals(want[i], got, allowed, name + " " + point + " " + axis + " " + index);
        }
      }
    }
  }

  /** Returns the mean over rows of logit[answer] − logit[wrong answer] at the last position. */
  private static double difference(Gpt2 gpt2, TokenBatch tokens, int[][] answers, Hook... hooks) {
    Tensor logits = gpt2.forward(tokens, hooks).logits();
    double sum = 0;
    for (int row = 0; row < tokens.rows(); row++) {
      int last = tokens.length(row) - 1;
      sum += logits.get(row, last, answers[row][0]) - logits.get(row, last, answers[row][1]);
    }
    return sum / tokens.rows();
  }
}
