package dev.resid.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.analysis.ActivationPatching.Patch;
import dev.resid.analysis.ResidualStack.Split;
import dev.resid.analysis.ResidualStack.Term;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.Safetensors;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.testing.Golden;
import dev.resid.testing.OnEachCpuBackend;
import dev.resid.testing.Shared;
import dev.resid.testing.Tolerance;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Decompositions of the residual stream, logit lens, logit attribution, ablation and activation
 * patching as TransformerLens computes them.
 */
class AnalysisGoldensTest extends OnEachCpuBackend {
  private static final String BASE = "base-2x32";
  private static final String PREFIXED = "prefixed-3x48";
  private static final String RELU = "ninner-relu";
  private static final String INVERSE = "inverse-layer-gelu";
  private static final String RAW = "no_processing";
  private static final String PROCESSED = "default_processing";

  private static Golden golden(String name) throws IOException {
    return Golden.of(Shared.require("goldens/tlens/" + name));
  }

  private Gpt2 model(Golden golden, String variant) throws IOException {
    return Gpt2.load(
        golden.model(),
        backend(),
        variant.equals(RAW) ? WeightTransforms.none() : WeightTransforms.transformerLens());
  }

  private static TokenBatch tokens(Golden golden) {
    return Golden.tokens(golden.json().path("input_ids"));
  }

  private static List<String> labels(Golden golden, String key) {
    JsonNode names = golden.json().path("decompositions").path("labels").path(key);
    return IntStream.range(0, names.size()).mapToObj(i -> names.get(i).asString()).toList();
  }

  private void comparePart(
      Golden golden, Safetensors file, String key, int part, int parts, Tensor actual)
      throws IOException {
    double[] all = file.doubles(key);
    double[] want =
        java.util.Arrays.copyOfRange(
            all, part * (all.length / parts), (part + 1) * (all.length / parts));
    check(golden.dir().getFileName() + " " + key + " " + part)
        .close(want, actual, golden.tolerance("cache_float32"));
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void theStreamIsTakenApartInTheSameTerms(String name) throws IOException {
    Golden golden = golden(name);
    try (Safetensors file = golden.open("decompositions.safetensors")) {
      for (String variant : List.of(RAW, PROCESSED)) {
        Gpt2 gpt2 = model(golden, variant);
        String components = variant + ".decompose_resid";
        List<Term> terms = ResidualStack.of(gpt2, tokens(golden), Split.COMPONENTS).terms();
        assertEquals(labels(golden, components), terms.stream().map(Term::name).toList());
        for (int t = 0; t < terms.size(); t++) {
          comparePart(golden, file, components, t, terms.size(), terms.get(t).values());
        }
        String full = variant + ".full_resid_decomposition";
        List<String> order = labels(golden, full);
        List<Term> parts = ResidualStack.of(gpt2, tokens(golden), Split.HEADS).terms();
        assertEquals(
            order.stream().sorted().toList(), parts.stream().map(Term::name).sorted().toList());
        for (Term part : parts) {
          comparePart(golden, file, full, order.indexOf(part.name()), order.size(), part.values());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void logitLensAgrees(String name) throws IOException {
    Golden golden = golden(name);
    try (Safetensors file = golden.open("decompositions.safetensors")) {
      for (String variant : List.of(RAW, PROCESSED)) {
        Gpt2 gpt2 = model(golden, variant);
        try (LogitLens lens = LogitLens.of(gpt2, tokens(golden))) {
          int n = lens.points().size();
          for (int i = 0; i < n; i++) {
            HookPoint point = lens.points().get(i);
            comparePart(
                golden, file, variant + ".logit_lens_own_norm", i, n, lens.at(point).logits());
            if (variant.equals(PROCESSED)) {
              comparePart(
                  golden,
                  file,
                  variant + ".logit_lens_final_scale",
                  i,
                  n,
                  lens.logitsWithFinalScale(point));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void logitAttributionAgrees(String name) throws IOException {
    Golden golden = golden(name);
    JsonNode json = golden.json().path("decompositions");
    int[] answers = Golden.ints(json.path("logit_attr_answers"));
    int[] wrong = Golden.ints(json.path("logit_attr_wrong"));
    Gpt2 gpt2 = model(golden, PROCESSED);
    TokenBatch tokens = tokens(golden);
    String key = PROCESSED + ".logit_attrs_";
    try (Safetensors file = golden.open("decompositions.safetensors")) {
      ResidualStack components = ResidualStack.of(gpt2, tokens, Split.COMPONENTS);
      LogitReadout difference = LogitReadout.differences(gpt2, answers, wrong);
      last(
          golden,
          file.doubles(key + "components_last_position"),
          DirectLogitAttribution.of(components, LogitReadout.logits(gpt2, answers)),
          components.terms().stream().map(Term::name).toList());
      last(
          golden,
          file.doubles(key + "components_difference_last_position"),
          DirectLogitAttribution.of(components, difference),
          components.terms().stream().map(Term::name).toList());
      last(
          golden,
          file.doubles(key + "heads_difference_last_position"),
          DirectLogitAttribution.of(ResidualStack.of(gpt2, tokens, Split.HEADS), difference),
          labels(golden, key + "heads_difference_last_position"));
    }
  }

  private void last(
      Golden golden, double[] want, DirectLogitAttribution found, List<String> order) {
    Tolerance tolerance = golden.tolerance("cache_float32");
    int rows = want.length / order.size();
    for (int t = 0; t < order.size(); t++) {
      double[] got = found.atLast(found.names().indexOf(order.get(t)));
      for (int row = 0; row < rows; row++) {
        double expected = want[t * rows + row];
        assertEquals(
            expected, got[row], tolerance.allowed(0, expected), order.get(t) + " row " + row);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void attributionToTheNextTokenAgreesAtEveryPosition(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = model(golden, PROCESSED);
    TokenBatch tokens = tokens(golden);
    int n = tokens.maxLength();
    ResidualStack stack = ResidualStack.of(gpt2, tokens, Split.COMPONENTS);
    try (Safetensors file = golden.open("decompositions.safetensors")) {
      double[] want = file.doubles(PROCESSED + ".logit_attrs_components_next_token");
      for (int pos = 0; pos < n; pos++) {
        int next = (pos + 1) % n;
        int[] answers = IntStream.range(0, tokens.rows()).map(r -> tokens.id(r, next)).toArray();
        DirectLogitAttribution found =
            DirectLogitAttribution.of(stack, LogitReadout.logits(gpt2, answers));
        for (int t = 0; t < stack.terms().size(); t++) {
          for (int row = 0; row < tokens.rows(); row++) {
            double expected = want[(t * tokens.rows() + row) * n + pos];
            double allowed = golden.tolerance("cache_float32").allowed(0, expected);
            assertEquals(expected, found.at(t, row, pos), allowed, t + " " + row + " " + pos);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU})
  void activationPatchingAgrees(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = model(golden, RAW);
    JsonNode entry =
        java.util.stream.StreamSupport.stream(
                golden.json().path("interventions").path("keys").spliterator(), false)
            .filter(node -> node.path("key").asString().equals("act_patch.*"))
            .findFirst()
            .orElseThrow();
    TokenBatch corrupted = Golden.tokens(entry.path("corrupted_input_ids"));
    int[][] pairs =
        IntStream.range(0, corrupted.rows())
            .mapToObj(row -> Golden.ints(entry.path("answers").get(row)))
            .toArray(int[][]::new);
    LogitReadout readout =
        LogitReadout.differences(
            gpt2,
            java.util.Arrays.stream(pairs).mapToInt(p -> p[0]).toArray(),
            java.util.Arrays.stream(pairs).mapToInt(p -> p[1]).toArray());
    double allowed = 2 * golden.tolerance("cache_float32").allowed(0, 1); // of a difference
    assertEquals(
        entry.path("metric_of_corrupted").asDouble(), mean(readout.of(gpt2, corrupted)), allowed);
    try (Safetensors file = golden.open("interventions.safetensors")) {
      for (Site site : List.of(Site.RESID_PRE, Site.ATTN_OUT, Site.MLP_OUT, Site.Z)) {
        String key = site == Site.Z ? "head_z_all_positions" : site.suffix().replace("hook_", "");
        List<Patch> patches =
            site == Site.Z
                ? ActivationPatching.everyHead(gpt2.config().nHeads())
                : ActivationPatching.everyPosition(corrupted);
        double[] want = file.doubles("act_patch." + key);
        for (int layer = 0; layer < gpt2.config().nLayers(); layer++) {
          HookPoint point = HookPoint.at(site, layer);
          ActivationCache clean = gpt2.capture(tokens(golden), point.capture());
          double[][] got =
              new ActivationPatching(gpt2, corrupted, clean, readout, 3)
                  .run(point, patches, done -> {});
          for (int i = 0; i < patches.size(); i++) {
            double expected = want[layer * patches.size() + i];
            assertEquals(expected, mean(got[i]), allowed, point + " " + patches.get(i));
          }
        }
      }
    }
  }

  private static double mean(double... values) {
    return java.util.Arrays.stream(values).average().orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {BASE, PREFIXED, RELU, INVERSE})
  void ablationAgrees(String name) throws IOException {
    Golden golden = golden(name);
    Gpt2 gpt2 = model(golden, RAW);
    TokenBatch tokens = tokens(golden);
    JsonNode keys = golden.json().path("interventions").path("keys");
    try (Safetensors file = golden.open("interventions.safetensors")) {
      for (JsonNode entry : keys) {
        String key = entry.path("key").asString();
        if (!key.equals("mean_mlp")
            && !key.equals("mean_mlp_per_position")
            && !key.equals("zero_head")) {
          continue;
        }
        HookPoint point = HookPoint.parse(entry.path("hook").asString());
        Tensor clean = gpt2.capture(tokens, point.capture()).get(point);
        String what = entry.path("what").asString();
        Tensor logits =
            gpt2.forward(
                    tokens,
                    point.replace(
                        key.equals("zero_head")
                            ? Ablation.zeroAt(
                                Axis.HEAD,
                                Integer.parseInt(what.replaceAll("\\D", "").substring(0, 1)))
                            : Ablation.mean(
                                key.equals("mean_mlp")
                                    ? Ablation.mean(clean, tokens)
                                    : Ablation.meanByPosition(clean, tokens))))
                .logits();
        if (key.equals("mean_mlp")) {
          Golden.compare(
              check(name + " mean"),
              file,
              "mean_mlp.mean",
              Ablation.mean(clean, tokens),
              golden.tolerance("cache_float32"));
        }
        Golden.compare(
            check(name + " " + key),
            file,
            key + ".logits",
            logits,
            golden.tolerance("cache_float32"));
      }
    }
  }
}
