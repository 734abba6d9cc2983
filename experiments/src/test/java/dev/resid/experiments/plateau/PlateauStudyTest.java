package dev.resid.experiments.plateau;

import static dev.resid.experiments.testing.StudyRuns.differences;
import static dev.resid.experiments.testing.StudyRuns.interruptedAfter;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.plateau.Curve.Role;
import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.plateau.PlateauOptions.RealBase;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.BlockLog;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.StudyRuns.PulledPlug;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.hook.HookPoint;
import dev.resid.metric.JensenShannon;
import dev.resid.metric.KlDivergence;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlateauStudyTest {
  private static final int PROMPTS = 11;
  private static final TokenBatch TOKENS = TinyModel.prompts(60, 6);

  private static final List<TargetKind> BASES =
      List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM, TargetKind.SYNTHETIC_BASELINE);

  /** An uninterrupted run by one thread, which the others are compared with. */
  @TempDir private static Path whole;

  @TempDir private Path temporary;

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, 1, Shard.WHOLE, 0, Progress.none());
  }

  @Test
  void curvesAreThoseOfPlainForwardRunsWithAHook() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      HookPoint point = HookPoint.residPre(1);
      HookPoint last = HookPoint.residPost(2);
      float[][] activations = new float[TOKENS.rows()][];
      for (int row = 0; row < activations.length; row++) {
        Tensor x = gpt2.forward(TOKENS.slice(row, row + 1), point.capture()).cache().get(point);
        activations[row] = x.at(Axis.POS, 5).toArray();
      }
      try (BlockLog log = log()) {
        CurveColumns columns = CurveColumns.of(RunRecord.read(whole));
        Curve way = new Curve(Role.TARGET, TargetKind.MODEL_GENERATED, Regime.RELATIVE);
        int prompt = 3;
        int[] order =
            new CounterRandom(PlateauOptions.DEFAULT_SEED)
                .permutation(TOKENS.rows(), DrawKeys.PLATEAU_PROMPTS.stream(0), 0);
        int row = order[prompt];
        TokenBatch one = TOKENS.slice(row, row + 1);
        float[] target = target(activations, row, log.values().get(prompt, columns.distance(way)));
        ForwardResult clean = gpt2.forward(one, last.capture());
        for (int n : new int[] {0, 17, 50, 99}) {
          float[] moved = new float[16];
          for (int c = 0; c < 16; c++) {
            moved[c] = (float) (activations[row][c] + n / 99.0 * (target[c] - activations[row][c]));
          }
          ForwardResult changed =
              gpt2.forward(
                  one,
                  point.replace(
                      (x, at) ->
                          x.with(Axis.POS, 5, Tensor.of(x.shape().without(Axis.POS), moved))),
                  last.capture());
          double l2 =
              Regime.distance(
                  clean.cache().get(last).at(Axis.POS, 5).toArray(),
                  changed.cache().get(last).at(Axis.POS, 5).toArray());
          double js =
              JensenShannon.distance(
                  clean.logits().at(Axis.POS, 5).toArray(),
                  changed.logits().at(Axis.POS, 5).toArray());
          double kl = KlDivergence.nats(clean.logits(), changed.logits())[5];
          // float32 runs by two paths.
          assertEquals(
              l2, log.values().get(prompt, columns.point(way, Metric.L2, n)), 1e-4 * (1 + l2));
          assertEquals(
              kl, log.values().get(prompt, columns.point(way, Metric.KL, n)), 1e-4 * (1 + kl));
          assertEquals(js, log.values().get(prompt, columns.point(way, Metric.JS, n)), 1e-4);
        }
      }
    }
  }

  /** Returns the activation at a distance from that of a prompt: the target that was drawn. */
  private static float[] target(float[][] activations, int row, double distance) {
    return Arrays.stream(activations)
        .filter(a -> Math.abs(Regime.distance(activations[row], a) - distance) < 1e-4)
        .findFirst()
        .orElseThrow();
  }

  private static BlockLog log(Path folder) throws IOException {
    Path file = RunFolder.work(folder, RowStudy.LOG);
    String settings = RunRecord.read(folder).settings().toString();
    return BlockLog.read(file, BlockLog.wholePlan(file, settings));
  }

  private static BlockLog log() throws IOException {
    return log(whole);
  }

  @Test
  void everyWayBeginsWhereNothingHasChanged() throws IOException {
    try (BlockLog log = log()) {
      CurveColumns columns = CurveColumns.of(RunRecord.read(whole));
      assertEquals(7 + 3, columns.curves().size());
      for (int prompt = 0; prompt < PROMPTS; prompt++) {
        for (Curve curve : columns.curves()) {
          assertEquals(0, log.values().get(prompt, columns.point(curve, Metric.L2, 0)));
          assertTrue(log.values().get(prompt, columns.point(curve, Metric.L2, 99)) > 0);
          if (curve.hasPrediction()) {
            // float32 log-probabilities of two paths through the same blocks.
            assertEquals(0, log.values().get(prompt, columns.point(curve, Metric.KL, 0)), 1e-6);
          }
        }
      }
    }
  }

  @Test
  void aStartOfTheOtherPromptIsAnotherWay() throws IOException {
    Path other = temporary.resolve("other");
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      PlateauOptions options =
          options(sae(backend), RealBase.OTHER, 0, List.of(TargetKind.MODEL_GENERATED));
      new PlateauStudy(gpt2, options).run(other, Progress.none(), workers);
    }
    Curve base = new Curve(Role.BASE, TargetKind.MODEL_GENERATED, Regime.ABSOLUTE);
    RunRecord record = RunRecord.read(other);
    CurveColumns columns = CurveColumns.of(record);
    CurveColumns first = CurveColumns.of(RunRecord.read(whole));
    try (BlockLog log = log();
        BlockLog otherLog = log(other)) {
      for (int prompt = 0; prompt < PROMPTS; prompt++) {
        double own = log.values().get(prompt, first.distance(base));
        double others = otherLog.values().get(prompt, columns.distance(base));
        assertTrue(Math.abs(own - others) > 1e-6, "prompt " + prompt);
      }
    }
  }

  /** One part is interrupted, and has other threads and another batch: nothing of that is left. */
  @Test
  void interruptedPartsMakeTheBytesOfAWholeRun() throws IOException {
    Path first = temporary.resolve("shard0");
    Path second = temporary.resolve("shard1");
    // Reports: 2 while activations are collected, then 10 ways of each batch of three prompts.
    for (int after : new int[] {0, 1, 12}) {
      assertThrows(
          PulledPlug.class, () -> run(first, 2, new Shard(0, 2), 3, interruptedAfter(after)));
      assertFalse(RunRecord.read(first).finished().isPresent());
      cutEnd(first.resolve("blocks/prompts.f32"), 5);
    }
    run(first, 2, new Shard(0, 2), 3, Progress.none());
    assertTrue(RunRecord.read(first).finished().isPresent());
    run(first, 2, new Shard(0, 2), 3, interruptedAfter(0)); // nothing is computed again
    Path merged = temporary.resolve("merged");
    try (Workers workers = new Workers(2)) {
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> PlateauStudy.merge(List.of(first)).run(merged, workers))
              .getMessage();
      assertTrue(message.startsWith("1 of 2 blocks are missing (1)"), message);
      assertFalse(Files.exists(merged));
      run(second, 1, new Shard(1, 2), 0, Progress.none());
      assertFalse(Files.exists(second.resolve("report.html")));
      PlateauStudy.merge(List.of(second, first)).run(merged, workers);
    }
    assertEquals(List.of(), differences(whole, merged));
  }

  @Test
  void whatDoesNotFitIsRefused() {
    PlateauOptions plain = PlateauOptions.of(TOKENS, "random", 3, Scale.Rule.SCALED);
    assertEquals(List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM), plain.targets());
    refused(
        () -> PlateauOptions.of(TOKENS, "random", 61, Scale.Rule.SCALED), "61 base prompts of 60");
    refused(
        () ->
            PlateauOptions.of(
                TokenBatch.of(new int[] {1, 2}, new int[] {3}), "random", 1, Scale.Rule.SCALED),
        "prompts have different lengths");
  }

  private static void refused(org.junit.jupiter.api.function.Executable work, String part) {
    String message = assertThrows(IllegalArgumentException.class, work).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void theCostIsCounted() {
    try (Backend backend = TinyModel.backend(1)) {
      PlateauOptions options = PlateauOptions.of(TOKENS, "random", 5, Scale.Rule.SCALED);
      String plan = new PlateauStudy(TinyModel.on(backend), options).plan();
      // 60 prompts to block 1 and to the end; 5 times 3 + 2 blocks; 6 positions.
      // 5·6 ways of 100 points, 2 blocks.
      assertTrue(plan.contains("30 ways of 100 points"), plan);
      assertTrue(plan.contains(": 1,590 clean, 6,000 moved, and 2,000 predictions"), plan);
      assertTrue(plan.contains("weights 1 MiB, activations"), plan);
      String withSae =
          new PlateauStudy(TinyModel.on(backend), options(sae(backend), RealBase.OWN, 2, BASES))
              .plan();
      assertTrue(withSae.contains("weights 1 MiB, SAE 1 MiB, activations"), withSae);
    }
  }

  private static void cutEnd(Path file, int bytes) throws IOException {
    if (Files.exists(file)) {
      byte[] content = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(content, Math.max(0, content.length - bytes)));
    }
  }

  private static void run(Path folder, int threads, Shard shard, int batch, Progress progress)
      throws IOException {
    try (Backend backend = TinyModel.backend(threads);
        Workers workers = new Workers(threads)) {
      PlateauOptions options = options(sae(backend), RealBase.OWN, batch, BASES);
      StudyRuns.run(
          new PlateauStudy(TinyModel.on(backend), options), folder, shard, progress, workers);
    }
  }

  /** Statistics are told of curves that are written down: steps follow from curves. */
  @Test
  void draftStatisticsStandBesideTheUsualOnes() throws IOException {
    ResultTable prompts = ResultTable.read(whole, "prompts");
    ResultTable steps = ResultTable.read(whole, "steps");
    double sum = 0;
    double squares = 0;
    int n = 0;
    for (int row = 0; row < prompts.rows().size(); row++) {
      List<Object> cells = prompts.rows().get(row);
      double one = prompts.number(row, "ms_l2").getAsDouble();
      double draft = prompts.number(row, "ms_l2_draft").getAsDouble();
      assertTrue(one == 0 || one == 99 || draft == one - 1, cells.toString());
      if (cells.contains("target") && cells.contains("random")) {
        double js = prompts.number(row, "ms_js").getAsDouble();
        sum += js;
        squares += js * js;
        n++;
      }
    }
    assertEquals(PROMPTS, n);
    for (int row = 0; row < steps.rows().size(); row++) {
      List<Object> cells = steps.rows().get(row);
      if (cells.containsAll(List.of("target", "random", "ms_js"))) {
        assertEquals(sum / n, steps.number(row, "mean").getAsDouble(), 1e-6);
        double deviation = Math.sqrt((squares - sum * sum / n) / (n - 1));
        assertEquals(deviation, steps.number(row, "deviation").getAsDouble(), 1e-6);
        double low = steps.number(row, "deviation_low").getAsDouble();
        double high = steps.number(row, "deviation_high").getAsDouble();
        assertTrue(low < high && low < deviation, low + " to " + high);
        return;
      }
    }
    throw new AssertionError("no line of ms_js");
  }

  @Test
  void aSingleFeatureOfTheMeanNormNeedsAnSaeAndNoNumber() {
    PlateauVariants norm =
        new PlateauVariants(
            DensityPool.nearest(),
            PlateauVariants.Placing.FRESH,
            PlateauVariants.FeatureValue.MEAN_NORM,
            List.of());
    refused(
        () ->
            new PlateauOptions(
                TOKENS,
                "random",
                1,
                3,
                List.of(TargetKind.RANDOM),
                List.of(),
                RealBase.OWN,
                Optional.empty(),
                List.of(Regime.RELATIVE),
                Scale.of(Scale.Rule.SCALED),
                norm,
                1,
                0),
        "needs an SAE");
    PromptStatistics statistics = new PromptStatistics(9, 1, 2, 3, 4, 25.93);
    assertEquals(
        25.9, norm.values(Scale.of(Scale.Rule.PUBLISHED), statistics).featureValue(), 1e-12);
  }

  private static PlateauSae sae(Backend backend) {
    return new PlateauSae(
        new NamedSae(
            "random",
            "",
            "",
            RandomSae.of(RandomSae.rows(120, 16, 1), 2, HookPoint.residPre(1), backend)),
        Optional.empty());
  }

  private static PlateauOptions options(
      PlateauSae sae, RealBase realBase, int batch, List<TargetKind> bases) {
    return new PlateauOptions(
        TOKENS,
        "random tokens",
        1,
        PROMPTS,
        TargetKind.usual(Optional.of(sae)),
        bases,
        realBase,
        Optional.of(sae),
        List.of(Regime.RELATIVE),
        new Scale(
            Scale.Rule.SCALED,
            OptionalDouble.empty(),
            OptionalDouble.of(0.5),
            OptionalDouble.empty()),
        new PlateauVariants(
            DensityPool.nearest(),
            PlateauVariants.Placing.FRESH,
            PlateauVariants.FeatureValue.SCALE,
            Arrays.stream(StepKind.values()).filter(k -> !StepKind.USUAL.contains(k)).toList()),
        PlateauOptions.DEFAULT_SEED,
        batch);
  }
}
