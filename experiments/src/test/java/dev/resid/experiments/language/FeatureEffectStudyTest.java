package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.RowValues;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureEffectStudyTest {
  private static final int WINDOW = 3;
  private static final List<NamedSae> SAES = TinySaes.both();

  @TempDir private Path temporary;

  private Backend backend;
  private Workers workers;
  private Gpt2 gpt2;

  @BeforeEach
  void open() {
    backend = SmallModel.backend();
    workers = new Workers(2);
    gpt2 = SmallModel.on(backend);
  }

  @AfterEach
  void close() {
    workers.close();
    backend.close();
  }

  private static FeatureEffectOptions options(ClozeTask task, int prompts) {
    List<ClozePrompt> all =
        IntStream.range(0, prompts)
            .mapToObj(
                i ->
                    new ClozePrompt(
                        TokenBatch.of(SmallModel.row(2 + i % 7, i)), 7 * i % 50, "text " + i, 0))
            .toList();
    return new FeatureEffectOptions(new ClozeOptions(task, all, SAES, "test", 3), WINDOW);
  }

  private static FeatureEffectOptions options(int prompts) {
    return options(ClozeTask.LAMBADA, prompts);
  }

  private double[][] computed(FeatureEffectOptions options) {
    int prompts = options.cloze().prompts().size();
    return new FeatureEffectStudy(gpt2, options).compute(new RowRange(0, prompts), done -> {});
  }

  private FeatureEffectResult result(FeatureEffectOptions options, double[]... rows) {
    RowValues values = new RowValues(rows.length, rows[0].length);
    for (int row = 0; row < rows.length; row++) {
      values.set(row, rows[row]);
    }
    return new FeatureEffectResult(
        SaeFacts.of(options.cloze().saes()), options.cloze().seed(), values, workers);
  }

  private double[] deltas(FeatureEffectOptions options, int s) {
    int prompts = options.cloze().prompts().size();
    RowLayout layout = ClozeLayout.of(SAES.size());
    return Arrays.stream(
            new ClozeSweep(gpt2, options.cloze()).compute(new RowRange(0, prompts), done -> {}))
        .mapToDouble(row -> row[layout.index(ClozeLayout.DELTA_LN_P, s)])
        .toArray();
  }

  @Test
  void effectsAreMeansOverThePromptsInWhoseWindowTheFeatureIsAboveZero() {
    FeatureEffectOptions options = options(20);
    FeatureEffectResult result = result(options, computed(options));
    HookPoint point = HookPoint.residPre(1);
    for (int s = 0; s < SAES.size(); s++) {
      double[] deltas = deltas(options, s);
      int features = SAES.get(s).sae().config().dSae();
      double[] sums = new double[features];
      int[] counts = new int[features];
      int[] scores = new int[features];
      for (int row = 0; row < deltas.length; row++) {
        TokenBatch tokens = options.cloze().prompts().get(row).tokens();
        int last = tokens.length(0) - 1;
        Tensor dense =
            SAES.get(s).sae().encode(gpt2.capture(tokens, point.capture()).get(point)).toDense();
        for (int i = 0; i < features; i++) {
          boolean active = false;
          for (int pos = Math.max(0, last - WINDOW); pos < last; pos++) {
            active |= dense.get(0, pos, i) > 0;
          }
          if (active) {
            sums[i] += deltas[row];
            counts[i]++;
            scores[i] += deltas[row] < 0 ? -1 : 1;
          }
        }
      }
      double mean = 0;
      for (int i = 0; i < features; i++) {
        assertEquals(counts[i], result.goodness(s).prompts(i), "prompts of " + i);
        assertEquals(scores[i], result.goodness(s).score(i), "score of " + i);
        if (counts[i] > 0) {
          double effect = result.goodness(s).meanEffectNats(i).orElseThrow();
          assertEquals(sums[i] / counts[i], effect, 1e-12, "effect of " + i);
          mean += effect / result.features(s).length;
        }
      }
      // The mean of means is computed as a weighted mean over prompts; both are float64.
      assertEquals(mean, result.meanEffect(s).value(), 1e-12);
    }
    assertTrue(
        result.features(0).length < 48 && result.features(0).length > 0, "some are never active");
  }

  /** T26. */
  @Test
  void scoresLieWithinTheNumberOfPromptsAndHaveItsParity() {
    FeatureEffectOptions options = options(20);
    FeatureEffectResult result = result(options, computed(options));
    for (int s = 0; s < SAES.size(); s++) {
      for (int i : result.features(s)) {
        int prompts = result.goodness(s).prompts(i);
        int score = result.goodness(s).score(i);
        assertTrue(Math.abs(score) <= prompts);
        assertEquals(0, (prompts - score) % 2);
      }
    }
  }

  /** T26. */
  @Test
  void withoutAnyEffectTheScoreIsTheNumberOfPrompts() {
    FeatureEffectOptions options = options(ClozeTask.CBT, 12);
    double[][] rows = computed(options);
    FeatureEffectLayout layout = new FeatureEffectLayout(SaeFacts.of(SAES));
    for (double[] row : rows) {
      row[layout.deltaLnP(0)] = 0;
      row[layout.deltaLnP(1)] = 0;
    }
    FeatureEffectResult result = result(options, rows);
    for (int s = 0; s < SAES.size(); s++) {
      for (int i : result.features(s)) {
        assertEquals(result.goodness(s).prompts(i), result.goodness(s).score(i));
      }
    }
    List<Finding> findings = new FeatureEffectClaims(result, ClozeTask.CBT).findings();
    assertEquals(
        List.of(Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD, Verdict.DOES_NOT_HOLD),
        findings.stream().map(Finding::verdict).toList());
  }

  @Test
  void effectsBelowZeroGiveScoresBelowZero() {
    FeatureEffectOptions options = options(ClozeTask.CBT, 12);
    double[][] rows = computed(options);
    FeatureEffectLayout layout = new FeatureEffectLayout(SaeFacts.of(SAES));
    for (double[] row : rows) {
      row[layout.deltaLnP(0)] = -1;
      row[layout.deltaLnP(1)] = -1;
    }
    List<Finding> findings =
        new FeatureEffectClaims(result(options, rows), ClozeTask.CBT).findings();
    assertEquals(
        List.of(Verdict.DOES_NOT_HOLD, Verdict.HOLDS, Verdict.HOLDS),
        findings.stream().map(Finding::verdict).toList());
  }

  @Test
  void anEffectOfZeroAndAScoreOfZeroAreNotAboveZero() {
    FeatureEffectOptions options = options(ClozeTask.CBT, 2);
    FeatureEffectLayout layout = new FeatureEffectLayout(SaeFacts.of(SAES));
    BitSet active = new BitSet();
    active.set(5);
    double[][] rows = new double[2][layout.count()];
    for (int row = 0; row < 2; row++) {
      for (int s = 0; s < 2; s++) {
        layout.setActive(rows[row], s, active);
        rows[row][layout.deltaLnP(s)] = row == 0 ? 1 : -1;
      }
      // Two more in the second prompt alone, so that feature 5 is fewer than half.
      active.set(6, 8);
    }
    List<Finding> findings =
        new FeatureEffectClaims(result(options, rows), ClozeTask.CBT).findings();
    assertEquals(
        List.of(Verdict.DOES_NOT_HOLD, Verdict.HOLDS, Verdict.HOLDS),
        findings.stream().map(Finding::verdict).toList());
  }

  private static NamedSae at(int layer) {
    Sae sae = SAES.get(1).sae();
    SaeConfig config = sae.config();
    HookPoint point = HookPoint.residPre(layer);
    SaeConfig moved =
        new SaeConfig(
            "at" + layer,
            config.architecture(),
            config.dIn(),
            config.dSae(),
            config.dOut(),
            config.k(),
            config.topKScale(),
            config.normalization(),
            config.inputScale(),
            config.decoderBias(),
            point,
            point,
            config.weights(),
            config.provenance());
    Backend scalar = Backends.named("scalar", BackendOptions.defaults());
    return new NamedSae("at" + layer, "", "", Sae.of(moved, sae.weights(), scalar));
  }

  /** Δ ln p of every prompt is a constant of its own and so much a layer. */
  private Finding depth(double perLayer) {
    List<NamedSae> saes = List.of(at(2), at(0), at(1));
    List<ClozePrompt> prompts = options(9).cloze().prompts();
    FeatureEffectOptions options =
        new FeatureEffectOptions(
            new ClozeOptions(ClozeTask.LAMBADA, prompts, saes, "test", 3), WINDOW);
    FeatureEffectLayout layout = new FeatureEffectLayout(SaeFacts.of(saes));
    double[][] rows = new double[9][layout.count()];
    BitSet active = new BitSet();
    for (int row = 0; row < rows.length; row++) {
      active.set(row);
      for (int s = 0; s < saes.size(); s++) {
        layout.setActive(rows[row], s, active);
        rows[row][layout.deltaLnP(s)] =
            perLayer * saes.get(s).sae().hookPoint().layer() + 0.1 * (row % 4);
      }
    }
    FeatureEffectResult result = result(options, rows);
    assertEquals(perLayer, result.slope().value(), 1e-12);
    return new FeatureEffectClaims(result, ClozeTask.LAMBADA).findings().getFirst();
  }

  @Test
  void theVerdictOnLayersFollowsTheSlope() {
    assertEquals(Verdict.HOLDS, depth(-0.2).verdict());
    assertEquals(Verdict.DOES_NOT_HOLD, depth(0.2).verdict());
    assertEquals(Verdict.UNDECIDED, depth(0).verdict());
  }

  @Test
  void everyFeatureKeepsItsBit() {
    FeatureEffectLayout layout = new FeatureEffectLayout(SaeFacts.of(SAES));
    BitSet active = new BitSet();
    active.set(0);
    active.set(31);
    active.set(47);
    double[] row = new double[layout.count()];
    layout.setActive(row, 1, active);
    assertEquals(active, layout.active(column -> row[column], 1));
    assertEquals(new BitSet(), layout.active(column -> row[column], 0));
  }

  @Test
  void histogramsHoldEveryNumber() {
    FeatureHistogram effects = FeatureHistogram.of(-2, -1, 0.5, 2);
    assertEquals(100, effects.counts().length);
    assertEquals(1, effects.counts()[0]);
    assertEquals(1, effects.counts()[25]);
    assertEquals(1, effects.counts()[99]);
    assertEquals(2, effects.edge(100), 1e-12);
    FeatureHistogram scores = FeatureHistogram.ofWhole(-300, -3, 1, 1);
    assertEquals(4, scores.width());
    assertEquals(4, Arrays.stream(scores.counts()).sum());
    assertTrue(scores.counts().length <= 100);
    FeatureHistogram single = FeatureHistogram.of(1.5, 1.5);
    assertEquals(2, Arrays.stream(single.counts()).max().orElseThrow());
    assertEquals(1, FeatureHistogram.ofWhole(4).counts().length);
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    FeatureEffectStudy study = new FeatureEffectStudy(gpt2, options(12));
    Path stopped = temporary.resolve("stopped");
    assertThrows(
        StudyRuns.PulledPlug.class,
        () -> study.run(stopped, SmallModel.stoppingAfter(10), workers));
    study.run(stopped, Progress.none(), workers);
    Path whole = temporary.resolve("whole");
    study.run(whole, Progress.none(), workers);
    for (String file :
        List.of(
            "results.csv",
            "features.csv",
            "findings.csv",
            "report.html",
            "figures/effect-0.svg",
            "figures/score-1.svg")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(stopped.resolve(file)), file);
    }
    assertEquals(3, Files.readAllLines(whole.resolve("results.csv")).size());
  }

  @Test
  void noSaesAndNoWindowAreRefused() {
    ClozeOptions with = options(1).cloze();
    assertThrows(IllegalArgumentException.class, () -> new FeatureEffectOptions(with, 0));
    ClozeOptions without =
        new ClozeOptions(ClozeTask.LAMBADA, with.prompts(), List.of(), "test", 3);
    assertTrue(
        assertThrows(
                IllegalArgumentException.class, () -> new FeatureEffectOptions(without, WINDOW))
            .getMessage()
            .endsWith("name one with --sae"));
  }
}
