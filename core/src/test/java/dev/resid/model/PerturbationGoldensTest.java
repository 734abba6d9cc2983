package dev.resid.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.reference.Distributions;
import dev.resid.reference.Float64Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Replacing a residual stream by other vectors: KL, L2 and cross-entropy at every position. The
 * vectors that an SAE made are read from the file, so that only the model is tested here.
 */
class PerturbationGoldensTest extends OnEachCpuBackend {
  private static Golden golden(String name) throws IOException {
    return Golden.of(Shared.require("goldens/perturbation/" + name));
  }

  @ParameterizedTest
  @CsvSource({
    "standard-base-2x32, no_processing",
    "standard-base-2x32, default_processing",
    "topk-prefixed-3x48, no_processing",
    "topk-prefixed-3x48, default_processing"
  })
  void replacedStreamsChangePredictionsAsThere(String name, String variant) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 =
        Gpt2.load(
            golden.model(),
            backend(),
            variant.equals("no_processing")
                ? WeightTransforms.none()
                : WeightTransforms.transformerLens());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    HookPoint point = HookPoint.parse(golden.json().path("hook").asString());
    HookPoint last = HookPoint.parse(golden.json().path("last_resid_post").asString());
    try (Safetensors expected = golden.open("expected.safetensors");
        BaseRun base = gpt2.baseRun(tokens, point)) {
      double[] clean = rows(base.crossEntropyNats());
      check(variant + " clean cross-entropy")
          .close(
              expected.entry(variant + ".ce_clean_f64").unnamedShape(),
              expected.doubles(variant + ".ce_clean_f64"),
              clean,
              golden.tolerance("ce_float32"));
      Map<String, Tensor> replacements = replacements(golden, expected, variant, base);
      for (Map.Entry<String, Tensor> one : replacements.entrySet()) {
        Continuation changed = base.continueWith(one.getValue());
        String key = variant + "." + one.getKey();
        compare(golden, expected, key + ".kl_f64", "kl_float32", rows(changed.klNats()));
        compare(golden, expected, key + ".l2_f64", "l2_float32", rows(changed.l2At(last)));
        compare(golden, expected, key + ".ce_f64", "ce_float32", rows(changed.crossEntropyNats()));
        compare(
            golden,
            expected,
            key + ".statistical_distance_f64",
            "kl_float32",
            distances(base.logits(), changed.logits()));
      }
      assertEquals(
          expected.names().stream()
              .filter(n -> n.startsWith(variant) && n.endsWith(".kl_f64"))
              .count(),
          replacements.size());
    }
  }

  private void compare(
      Golden golden, Safetensors expected, String key, String tolerance, double[] actual)
      throws IOException {
    check(golden.dir().getFileName() + " " + key)
        .close(
            expected.entry(key).unnamedShape(),
            expected.doubles(key),
            actual,
            golden.tolerance(tolerance));
  }

  private static double[] rows(PositionValues values) {
    return IntStream.range(0, values.rows())
        .mapToObj(values::row)
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }

  private static double[] distances(Tensor p, Tensor q) {
    int vocabulary = p.shape().last();
    double[] before = Reference.doubles(p);
    double[] after = Reference.doubles(q);
    double[] distances = new double[before.length / vocabulary];
    Arrays.setAll(
        distances,
        i ->
            Distributions.statisticalDistance(
                Float64Gpt2.part(before, i, vocabulary), Float64Gpt2.part(after, i, vocabulary)));
    return distances;
  }

  private static Map<String, Tensor> replacements(
      Golden golden, Safetensors expected, String variant, BaseRun base) throws IOException {
    Vectors x = new Vectors(base.activation());
    Vectors sae = x.like(expected.tensor(variant + ".sae_reconstruction").toArray());
    Vectors directions = x.like(expected.tensor("directions").toArray());
    Vectors w = x.like(expected.tensor(variant + ".theta_orthogonal_unit").toArray());
    int chosen = golden.json().path("position_of_one_position").asInt();
    Map<String, Tensor> all = new LinkedHashMap<>();
    all.put("sae", x.map(i -> sae.at(i)));
    all.put(
        "epsilon_given_direction",
        x.map(i -> sum(x.at(i), distance(sae.at(i), x.at(i)), directions.at(i))));
    all.put("norm_corrected", x.map(i -> times(norm(x.at(i)) / norm(sae.at(i)), sae.at(i))));
    all.put("norm_only", x.map(i -> times(norm(sae.at(i)) / norm(x.at(i)), x.at(i))));
    all.put("theta_given_direction", x.map(i -> atAngle(x.at(i), sae.at(i), w.at(i))));
    all.put("zero", x.map(i -> times(0, x.at(i))));
    all.put("mean", x.map(i -> x.mean()));
    double[] alphas = Golden.doubles(golden.json().path("alphas"));
    for (int a = 0; a < alphas.length; a++) {
      double alpha = alphas[a];
      all.put("given_direction." + a, x.map(i -> sum(x.at(i), alpha, directions.at(i))));
      all.put(
          "sae_error_direction." + a,
          x.map(
              i ->
                  sum(x.at(i), alpha / distance(sae.at(i), x.at(i)), sum(sae.at(i), -1, x.at(i)))));
    }
    int length = base.tokens().maxLength();
    all.put("sae_one_position", x.map(i -> i % length == chosen ? sae.at(i) : x.at(i)));
    all.put(
        "given_direction_one_position",
        x.map(i -> i % length == chosen ? sum(x.at(i), 11, directions.at(i)) : x.at(i)));
    return all;
  }

  /** ‖x‖·(c·x/‖x‖ + √(1−c²)·w), c the cosine of x and the reconstruction. */
  private static double[] atAngle(double[] x, double[] reconstruction, double[] w) {
    double dot = 0;
    for (int c = 0; c < x.length; c++) {
      dot += x[c] * reconstruction[c];
    }
    double cosine = dot / (norm(x) * norm(reconstruction));
    return sum(times(cosine, x), norm(x) * Math.sqrt(1 - cosine * cosine), w);
  }

  private static double norm(double[] x) {
    return distance(x, new double[x.length]);
  }

  private static double distance(double[] a, double[] b) {
    return Distributions.distance(a, b);
  }

  private static double[] times(double factor, double[] x) {
    return Arrays.stream(x).map(v -> factor * v).toArray();
  }

  private static double[] sum(double[] a, double factor, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, c -> a[c] + factor * b[c]);
    return sum;
  }

  /** A [batch, pos, d_model] tensor as vectors in float64. */
  private static final class Vectors {
    private final Tensor tensor;
    private final double[] values;

    Vectors(Tensor tensor) {
      this.tensor = tensor;
      this.values = Reference.doubles(tensor);
    }

    Vectors like(float[] other) {
      return new Vectors(Tensor.wrap(tensor.shape(), other));
    }

    double[] at(int index) {
      return Float64Gpt2.part(values, index, tensor.shape().last());
    }

    double[] mean() {
      int count = values.length / tensor.shape().last();
      double[] mean = new double[tensor.shape().last()];
      for (int i = 0; i < count; i++) {
        mean = sum(mean, 1.0 / count, at(i));
      }
      return mean;
    }

    Tensor map(java.util.function.IntFunction<double[]> vector) {
      int width = tensor.shape().last();
      float[] all = new float[values.length];
      for (int i = 0; i < all.length / width; i++) {
        double[] one = vector.apply(i);
        for (int c = 0; c < width; c++) {
          all[i * width + c] = (float) one[c];
        }
      }
      return Tensor.wrap(tensor.shape(), all);
    }
  }

  /** The error direction at the length of the error gives the reconstruction's own KL. */
  @ParameterizedTest
  @CsvSource({"standard-base-2x32", "topk-prefixed-3x48"})
  void errorDirectionAtItsLengthIsTheSubstitution(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    HookPoint point = HookPoint.parse(golden.json().path("hook").asString());
    try (Safetensors expected = golden.open("expected.safetensors");
        BaseRun base = gpt2.baseRun(tokens, point)) {
      Vectors x = new Vectors(base.activation());
      Vectors sae = x.like(expected.tensor("no_processing.sae_reconstruction").toArray());
      Tensor along =
          x.map(
              i -> {
                double epsilon = distance(sae.at(i), x.at(i));
                double[] unit = times(1 / epsilon, sum(sae.at(i), -1, x.at(i)));
                return sum(x.at(i), epsilon, unit);
              });
      Continuation substituted = base.continueWith(x.map(i -> sae.at(i)));
      Continuation moved = base.continueWith(along);
      check("KL along the error")
          .close(
              expected.entry("no_processing.sae.kl_f64").unnamedShape(),
              rows(substituted.klNats()),
              rows(moved.klNats()),
              golden.tolerance("kl_float32"));
    }
  }

  /** Several replacements stacked along the batch give what each gives alone. */
  @ParameterizedTest
  @CsvSource({"standard-base-2x32", "topk-prefixed-3x48"})
  void stackedReplacementsGiveTheBitsOfEachAlone(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = Gpt2.load(golden.model(), backend());
    TokenBatch tokens = Golden.tokens(golden.json().path("input_ids"));
    HookPoint point = HookPoint.parse(golden.json().path("hook").asString());
    try (Safetensors expected = golden.open("expected.safetensors");
        BaseRun base = gpt2.baseRun(tokens, point)) {
      List<Tensor> all =
          new ArrayList<>(replacements(golden, expected, "no_processing", base).values());
      int batch = tokens.rows();
      Tensor stacked = Tensor.zeros(base.activation().shape().with(Axis.BATCH, batch * all.size()));
      for (int i = 0; i < all.size(); i++) {
        for (int row = 0; row < batch; row++) {
          stacked = stacked.with(Axis.BATCH, i * batch + row, all.get(i).at(Axis.BATCH, row));
        }
      }
      PositionValues together = base.continueWith(stacked).klNats();
      for (int i = 0; i < all.size(); i++) {
        PositionValues alone = base.continueWith(all.get(i)).klNats();
        for (int row = 0; row < batch; row++) {
          check("replacement " + i)
              .sameBits(
                  Reference.numbers(alone.length(row)),
                  alone.row(row),
                  together.row(i * batch + row));
        }
      }
    }
  }
}
