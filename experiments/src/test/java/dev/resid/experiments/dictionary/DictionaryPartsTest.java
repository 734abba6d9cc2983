package dev.resid.experiments.dictionary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.dictionary.DictionaryOptions.Part;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.Gpt2;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureConnections;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Single features and connections, against plain forward passes. */
class DictionaryPartsTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(9, 12, 11);
  private static final RowLayout LAYOUT = FeatureLayout.VALUES;
  private static final NamedSae SAE = TinySaes.both().getLast();
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final int D = TinyModel.CONFIG.dModel();

  private static Backend backend;
  private static Gpt2 gpt2;
  private static FeatureActivations activations;
  private static double[] numbers;

  @TempDir private Path temporary;

  private static DictionaryOptions options(Set<Part> parts, TokenBatch tokens, NamedSae... saes) {
    return new DictionaryOptions(
        tokens, "random tokens", List.of(saes), parts, 2, 3, Atoms.ALL, 0, 1);
  }

  @BeforeAll
  static void lookAtOneFeature() {
    backend = TinyModel.backend(1);
    gpt2 = TinyModel.on(backend);
    DictionaryOptions options = options(EnumSet.of(Part.FEATURES), TOKENS, SAE);
    FeatureSample sample =
        new FeatureSample(
            gpt2, options, FeatureCounts.of(gpt2, TOKENS, options.saes(), Progress.none()));
    int unit = 1;
    assertTrue(sample.units().has(unit));
    activations = sample.activations(unit, Progress.none());
    assertEquals(sample.units().feature(unit), activations.feature());
    numbers = new FeatureSweep(gpt2, options, sample, Progress.none()).compute(unit);
    assertEquals(1, numbers[LAYOUT.index("present")]);
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  @Test
  void sampledFeaturesAreActiveOftenEnough() {
    DictionaryOptions options = options(EnumSet.of(Part.FEATURES), TOKENS, SAE);
    FeatureCounts counts = FeatureCounts.of(gpt2, TOKENS, options.saes(), Progress.none());
    FeatureSample sample = new FeatureSample(gpt2, options, counts);
    assertEquals(3, Arrays.stream(sample.units().features()[0]).distinct().count());
    for (int feature : sample.units().features()[0]) {
      assertTrue(counts.active(0)[feature] >= FeatureSample.ACTIVE_AT_LEAST);
    }
  }

  /** Every row in which it is active is used, because there are fewer than the limit. */
  @Test
  void anEffectIsTheChangeOfTheNextTokensProbability() {
    int feature = activations.feature();
    float[] decoder = SAE.sae().weights().get(SaeWeight.W_dec).toArray();
    double on = 0;
    double off = 0;
    int active = 0;
    int others = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      TokenBatch one = TOKENS.slice(row, row + 1);
      float[] values = activations.row(row);
      double[][] clean = LogSoftmax.rows(gpt2.forward(one).logits());
      double[][] without =
          LogSoftmax.rows(
              gpt2.forward(
                      one,
                      POINT.replace(
                          (x, at) -> {
                            float[] changed = x.toArray();
                            for (int i = 0; i < changed.length; i++) {
                              changed[i] -= values[i / D] * decoder[feature * D + i % D];
                            }
                            return Tensor.wrap(x.shape(), changed);
                          }))
                  .logits());
      for (int pos = 0; pos + 1 < one.length(0); pos++) {
        int next = one.id(0, pos + 1);
        double change = without[pos][next] - clean[pos][next];
        on += values[pos] != 0 ? change : 0;
        off += values[pos] == 0 ? change : 0;
        active += values[pos] != 0 ? 1 : 0;
        others += values[pos] == 0 ? 1 : 0;
      }
    }
    assertTrue(active > 0 && others > 0);
    assertEquals(active, numbers[LAYOUT.index("effect_n")]);
    assertEquals(others, numbers[LAYOUT.index("elsewhere_n")]);
    assertEquals(on, numbers[LAYOUT.index("effect")], 1e-4);
    assertEquals(off, numbers[LAYOUT.index("elsewhere")], 1e-4);
    assertTrue(Math.abs(on) > 1e-2, "it does something: " + on);
  }

  @Test
  void theLensIsReadAtTheTokensThatFollow() {
    float[] unembedding = gpt2.weights().get(Weight.of(WeightNames.W_U)).toArray();
    float[] decoder = SAE.sae().weights().get(SaeWeight.W_dec).toArray();
    int vocabulary = TinyModel.CONFIG.dVocab();
    double[] logits = new double[vocabulary];
    for (int v = 0; v < vocabulary; v++) {
      for (int c = 0; c < D; c++) {
        logits[v] += decoder[activations.feature() * D + c] * (double) unembedding[v * D + c];
      }
    }
    double mean = Arrays.stream(logits).average().orElseThrow();
    double deviation =
        Math.sqrt(Arrays.stream(logits).map(l -> (l - mean) * (l - mean)).average().orElseThrow());
    double[] sums = new double[2];
    int[] counts = new int[2];
    for (int row = 0; row < TOKENS.rows(); row++) {
      float[] values = activations.row(row);
      for (int pos = 0; pos + 1 < values.length; pos++) {
        int on = values[pos] > 0 ? 1 : 0;
        sums[on] += (logits[TOKENS.id(row, pos + 1)] - mean) / deviation;
        counts[on]++;
      }
    }
    assertEquals(sums[1] / counts[1] - sums[0] / counts[0], numbers[LAYOUT.index("lens")], 1e-9);
  }

  /** Texts are run again without one token each; all are used, because there are few. */
  @Test
  void removedTokensAreThoseOfTheTexts() {
    TextAblation texts = new TextAblation(gpt2, 1);
    TokenBatch short0 = TinyModel.tokens(5, 4);
    Sae sae = SAE.sae();
    FeatureActivations some =
        IntStream.range(0, 48)
            .mapToObj(f -> FeatureActivations.scan(gpt2, sae, short0, f).getFirst())
            .filter(a -> count(a) >= 2 && count(a) <= TextAblation.TEXTS)
            .findFirst()
            .orElseThrow();
    double[] found = new double[LAYOUT.count()];
    texts.measure(found, sae, 0, some);
    double[] changes = new double[FeatureLayout.DISTANCES];
    double mean = 0;
    int n = 0;
    for (Example example : some.top(100)) {
      if (example.pos() == 0) {
        continue;
      }
      int[] text = Arrays.copyOf(short0.row(example.row()), example.pos() + 1);
      double whole = last(sae, some.feature(), text);
      mean += whole;
      n++;
      for (int i = 1; i < text.length; i++) {
        int gone = i;
        int[] shorter =
            IntStream.range(0, text.length).filter(p -> p != gone).map(p -> text[p]).toArray();
        changes[text.length - 1 - i] += last(sae, some.feature(), shorter) - whole;
      }
    }
    for (int d = 0; d < 4; d++) {
      assertEquals(
          changes[d] / (mean / n), found[LAYOUT.index("change", d)], 1e-5, "distance " + d);
    }
    // Without a tokenizer the word before is the token before.
    assertEquals(found[LAYOUT.index("change", 1)], found[LAYOUT.index("previous")], 1e-9);
    assertEquals(found[LAYOUT.index("change_n", 1)], found[LAYOUT.index("previous_n")]);
    assertTrue(Math.abs(changes[1]) > 1e-3, "it matters: " + changes[1]);
    // The page shows the most active text token by token.
    Example top = TextAblation.candidates(some).getFirst();
    int[] shown = Arrays.copyOf(short0.row(top.row()), top.pos() + 1);
    double whole = last(sae, some.feature(), shown);
    assertEquals(shown.length, found[LAYOUT.index("shown_n")]);
    for (int i = 1; i < shown.length; i++) {
      int gone = i;
      int[] shorter =
          IntStream.range(0, shown.length).filter(p -> p != gone).map(p -> shown[p]).toArray();
      double share = (last(sae, some.feature(), shorter) - whole) / whole;
      assertEquals(share, found[LAYOUT.index("shown", i)], 1e-5, "token " + i);
    }
  }

  @Test
  void thePageHasNormsOfAllTokensAndACardForEveryFeature() throws IOException {
    Path folder = temporary.resolve("cards");
    DictionaryOptions options = options(EnumSet.of(Part.FEATURES), TOKENS, SAE);
    try (Workers workers = new Workers(1)) {
      new DictionaryStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    Matcher bins =
        Pattern.compile("<title>[^<]* to [^<]*: ([0-9.]+)</title>")
            .matcher(Files.readString(folder.resolve("figures/unembedding-norms.svg")));
    double tokens = 0;
    while (bins.find()) {
      tokens += Double.parseDouble(bins.group(1));
    }
    assertEquals(TinyModel.CONFIG.dVocab(), tokens);
    String page = Files.readString(folder.resolve("report.html"));
    assertEquals(3, page.split("<article>", -1).length - 1, "features that are looked at");
    assertTrue(page.contains("<h3>Feature " + activations.feature() + "</h3>"));
    List<String> lens =
        Files.readAllLines(folder.resolve("lens.csv")).stream()
            .filter(line -> line.startsWith("many," + activations.feature() + ","))
            .toList();
    String token = lens.getFirst().split(",")[5];
    assertTrue(page.contains(">" + token + "</mark>"), lens.getFirst());
    assertEquals(3, page.split("ablated text</dt>", -1).length - 1);
  }

  private static long count(FeatureActivations activations) {
    return activations.top(100).stream().filter(example -> example.pos() > 0).count();
  }

  private static double last(Sae sae, int feature, int... text) {
    SparseFeatures features =
        sae.encode(gpt2.capture(TokenBatch.of(text), POINT.capture()).get(POINT));
    return features.get(text.length - 1, feature);
  }

  @Test
  void aCorrelationOfSumsIsPearsons() {
    double[] x = {1, 2, 4, 7};
    double[] y = {2, 1, 5, 4};
    double[] sums = new double[7];
    for (int i = 0; i < x.length; i++) {
      double[] products = {1, x[i], y[i], x[i] * x[i], y[i] * y[i], x[i] * y[i]};
      for (int k = 0; k < products.length; k++) {
        sums[1 + k] += products[k];
      }
    }
    // By hand: sums of products about the means 10.5 / √(21 · 10)
    assertEquals(10 / Math.sqrt(21 * 10), FeatureMeans.correlation(sums, 1), 1e-12);
  }

  @Test
  void connectionsAreThoseOfTheLibrary() throws IOException {
    Path folder = temporary.resolve("connections");
    NamedSae first = TinySaes.both().getFirst();
    int[] lengths = IntStream.generate(() -> 20).limit(8).toArray();
    TokenBatch tokens = TinyModel.tokens(lengths);
    DictionaryOptions options =
        options(
            EnumSet.of(Part.CONNECTIONS), tokens, first, SAE, TinySaes.at(HookPoint.residPre(2)));
    try (Workers workers = new Workers(1)) {
      new DictionaryStudy(gpt2, options).run(folder, Progress.none(), workers);
    }
    List<String> lines = Files.readAllLines(folder.resolve("connections.csv"));
    assertTrue(lines.size() > 48, "pairs of features: " + lines.size());
    String[] cells = lines.get(7).split(",");
    assertEquals("few", cells[0]);
    assertEquals("other", cells[3]);
    int feature = Integer.parseInt(cells[1]);
    int later = Integer.parseInt(cells[4]);
    Sae to = TinySaes.at(HookPoint.residPre(2)).sae();
    var effect = FeatureConnections.causal(gpt2, first.sae(), to, tokens.slice(0, 2), feature);
    assertEquals(effect.meanChange()[later], Double.parseDouble(cells[5]), 1e-6);
    assertEquals(effect.meanChangeWhereActive()[later], Double.parseDouble(cells[6]), 1e-6);
    float[] d = first.sae().weights().get(SaeWeight.W_dec).toArray();
    float[] e = to.weights().get(SaeWeight.W_enc).toArray();
    double product = 0;
    for (int c = 0; c < D; c++) {
      product += (double) d[feature * D + c] * e[c * to.config().dSae() + later];
    }
    assertEquals(product, Double.parseDouble(cells[8]), 1e-6);
    assertEquals(10, Files.readAllLines(folder.resolve("fits.csv")).size(), "3 models, 3 starts");
    assertFalse(Files.exists(folder.resolve("removal.csv")), "a part that was not asked for");
  }

  @Test
  void interruptedAndSplitRunsEndInTheSameNumbers() throws IOException {
    Path whole = temporary.resolve("whole");
    Path stopped = temporary.resolve("stopped");
    Path merged = temporary.resolve("merged");
    DictionaryOptions options =
        options(EnumSet.of(Part.FEATURES), TOKENS, TinySaes.both().toArray(NamedSae[]::new));
    try (Workers workers = new Workers(1)) {
      DictionaryStudy study = new DictionaryStudy(gpt2, options);
      study.run(whole, Progress.none(), workers);
      assertThrows(
          StudyRuns.PulledPlug.class,
          () -> study.run(stopped, SmallModel.stoppingAfter(5), workers));
      assertTrue(Files.size(stopped.resolve("blocks/rows.log")) > 1000, "some are written down");
      study.run(stopped, Progress.none(), workers);
      Path first = temporary.resolve("first");
      Path second = temporary.resolve("second");
      study.runPart(first, new Shard(0, 2), Progress.none(), workers);
      study.runPart(second, new Shard(1, 2), Progress.none(), workers);
      DictionaryStudy.merge(List.of(second, first)).run(merged, workers);
    }
    for (String file : List.of("single-features.csv", "examples.csv", "report.html")) {
      assertEquals(
          Files.readString(whole.resolve(file)), Files.readString(stopped.resolve(file)), file);
      assertEquals(
          Files.readString(whole.resolve(file)), Files.readString(merged.resolve(file)), file);
    }
  }
}
