package dev.resid.experiments.sensitivity;

import static dev.resid.experiments.testing.StudyRuns.differences;
import static dev.resid.experiments.testing.StudyRuns.interruptedAfter;
import static dev.resid.experiments.testing.Vectors.at;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns.PulledPlug;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.reference.Distributions;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SensitivityStudyTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(19, 12, 12, 12, 7, 12, 12, 12, 12, 3);
  private static final double[] LENGTHS = {0.05, 0.2, 1, 2, 4};

  private static final List<SweptDirection> DIRECTIONS =
      Stream.concat(
              SensitivityOptions.baselines().stream(),
              Stream.of("sae-error:few", "sae-feature:few", "sae-feature-active:many")
                  .map(SweptDirection::of))
          .toList();

  /** An uninterrupted run by one thread, which the others are compared with. */
  @TempDir private static Path whole;

  @TempDir private Path temporary;

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, options(), 1);
  }

  @Test
  void meansAreThoseOfPlainForwardRunsWithAHook() throws IOException {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      HookPoint point = HookPoint.residPre(1);
      HookPoint last = HookPoint.residPost(2);
      double alpha = LENGTHS[3];
      double klAll = 0;
      double klRest = 0;
      double l2All = 0;
      int all = 0;
      int rest = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        ForwardResult clean = gpt2.forward(one, point.capture(), last.capture());
        Tensor x = clean.cache().get(point);
        Tensor unit =
            Direction.isotropic()
                .draw(
                    SensitivityOptions.DEFAULT_SEED, BasePoints.of(x, row, one.lengths()), workers);
        ForwardResult changed =
            gpt2.forward(one, point.replace((a, at) -> a.plus(unit.times(alpha))), last.capture());
        for (int pos = 0; pos < one.length(0) - 1; pos++) {
          double kl = Distributions.kl(at(clean.logits(), 0, pos), at(changed.logits(), 0, pos));
          klAll += kl;
          l2All +=
              Distributions.distance(
                  at(clean.cache().get(last), 0, pos), at(changed.cache().get(last), 0, pos));
          klRest += pos == 0 ? 0 : kl;
          all++;
          rest += pos == 0 ? 0 : 1;
        }
      }
      String[] cells = line(whole, "isotropic,," + alpha + ",");
      // float32 runs by two paths; means of about 100 positions.
      assertEquals(klAll / all, Double.parseDouble(cells[4]), 1e-5 * klAll / all + 1e-7);
      assertEquals(l2All / all, Double.parseDouble(cells[7]), 1e-5 * l2All / all);
      assertEquals(klRest / rest, Double.parseDouble(cells[10]), 1e-5 * klRest / rest + 1e-7);
      assertEquals(all, Integer.parseInt(cells[cells.length - 1]));
    }
  }

  @Test
  void oneOrAllButTheFirstPositionMayBePerturbed() throws IOException {
    TokenBatch few = TOKENS.slice(0, 5); // the last is too short for position 8
    double alpha = 3;
    for (Moved moved : List.of(new Moved.WithoutFirst(), new Moved.One(8))) {
      assertEquals(moved, Moved.parse(moved.text()));
      Path out = temporary.resolve(moved.text());
      SensitivityOptions some =
          new SensitivityOptions(
              few,
              "random tokens",
              1,
              new Lengths.Given(alpha),
              List.of(new SweptDirection.Baseline(DirectionKind.ISOTROPIC)),
              moved,
              List.of(),
              SensitivityOptions.DEFAULT_SEED,
              30,
              SensitivityOptions.DEFAULT_RIDGE,
              0);
      double sum = 0;
      int n = 0;
      try (Backend backend = TinyModel.backend(1);
          Workers workers = new Workers(1)) {
        Gpt2 gpt2 = TinyModel.on(backend);
        new SensitivityStudy(gpt2, some).run(out, Progress.none(), workers);
        HookPoint point = HookPoint.residPre(1);
        for (int row = 0; row < few.rows(); row++) {
          TokenBatch one = few.slice(row, row + 1);
          ForwardResult clean = gpt2.forward(one, point.capture());
          Tensor x = clean.cache().get(point);
          Tensor unit =
              Direction.isotropic()
                  .draw(some.seed(), BasePoints.of(x, row, one.lengths()), workers);
          Tensor logits =
              gpt2.forward(one, point.replace((a, at) -> moved(moved, a, unit, alpha))).logits();
          for (int pos = 0; pos < one.length(0) - 1; pos++) {
            if (!(moved instanceof Moved.One) || pos == 8) {
              sum += Distributions.kl(at(clean.logits(), 0, pos), at(logits, 0, pos));
              n++;
            }
          }
        }
      }
      ResultTable table = ResultTable.read(out, "results");
      assertEquals(sum / n, table.number(0, "kl_nats").getAsDouble(), 1e-5 * sum / n + 1e-7);
      assertEquals(n, table.number(0, "positions").getAsDouble());
      if (moved instanceof Moved.One) {
        assertEquals(sum / n, table.number(0, "kl_nats_without_first").getAsDouble(), 1e-5 * sum);
        assertTrue(n < few.rows(), "a row is too short");
        assertTrue(Files.readString(out.resolve("report.html")).contains("position 8 alone"));
      }
    }
    assertThrows(IllegalArgumentException.class, () -> Moved.parse("some"));
  }

  private static Tensor moved(Moved moved, Tensor x, Tensor unit, double alpha) {
    Tensor changed = x;
    for (int pos = 0; pos < x.shape().size(Axis.POS); pos++) {
      boolean here = moved instanceof Moved.One(int only) ? pos == only : pos > 0;
      if (here) {
        changed =
            changed.with(
                Axis.POS, pos, x.at(Axis.POS, pos).plus(unit.at(Axis.POS, pos).times(alpha)));
      }
    }
    return changed;
  }

  @Test
  void powersOfTheLengthAreThoseOfTheMeans() throws IOException {
    ResultTable powers = ResultTable.read(whole, "exponents");
    ResultTable means = ResultTable.read(whole, "results");
    int lines = 0;
    for (int row = 1; row < means.rows().size(); row++) {
      List<Object> before = means.rows().get(row - 1);
      List<Object> after = means.rows().get(row);
      if (!before.subList(0, 2).equals(after.subList(0, 2))) {
        continue;
      }
      double step = Math.log((double) after.get(2) / (double) before.get(2));
      for (String metric : List.of("kl_nats", "l2")) {
        double ratio =
            means.number(row, metric).getAsDouble() / means.number(row - 1, metric).getAsDouble();
        String column = metric.equals("l2") ? "l2" : "kl";
        double power = powers.number(lines, column).getAsDouble();
        assertEquals(Math.log(ratio) / step, power, 1e-6 * Math.abs(power), after.toString());
        assertTrue(powers.number(lines, column + "_low").getAsDouble() <= power + 1e-9);
      }
      assertEquals(after.get(2), powers.rows().get(lines).get(3));
      lines++;
    }
    assertEquals(powers.rows().size(), lines);
    assertTrue(lines > 10, lines + " lines");
  }

  /** A dictionary all of whose features are active in a row says so, and is not averaged as 0. */
  @Test
  void aDirectionThatNoRowHasIsRefused() {
    SensitivityOptions some = options();
    SensitivityOptions dead =
        new SensitivityOptions(
            TOKENS.slice(0, 2),
            some.text(),
            1,
            some.lengths(),
            List.of(SweptDirection.of("isotropic"), SweptDirection.of("sae-feature:busy")),
            List.of(TinySaes.alwaysActive()),
            1,
            some.pool(),
            some.ridge(),
            0);
    String message =
        assertThrows(IllegalStateException.class, () -> run(temporary.resolve("busy"), dead, 1))
            .getMessage();
    assertTrue(message.contains("sae-feature:busy exists in none of the 2 rows"), message);
  }

  /** One part is interrupted, and has other threads and another batch: nothing of that is left. */
  @Test
  void interruptedPartsMakeTheBytesOfAWholeRun() throws IOException {
    Path first = temporary.resolve("shard0");
    Path second = temporary.resolve("shard1");
    SensitivityOptions options = with(3, SensitivityOptions.DEFAULT_SEED);
    // Reports: 4 while activations are collected, 24 + 1 in the part's block.
    for (int after : new int[] {0, 3, 4, 11}) {
      assertThrows(
          PulledPlug.class, () -> part(first, new Shard(0, 2), options, interruptedAfter(after)));
      assertFalse(RunRecord.read(first).finished().isPresent());
      cutEnd(first.resolve("blocks/rows.log"), 3);
      cutEnd(first.resolve("blocks/pool.f32"), 5);
    }
    part(first, new Shard(0, 2), options, Progress.none());
    assertTrue(RunRecord.read(first).finished().isPresent());
    part(first, new Shard(0, 2), options, interruptedAfter(0)); // nothing is computed again
    part(second, new Shard(1, 2), options(), Progress.none());
    assertFalse(Files.exists(second.resolve("report.html")));
    Path merged = temporary.resolve("merged");
    try (Workers workers = new Workers(2)) {
      SensitivityStudy.merge(List.of(second, first)).run(merged, workers);
    }
    assertEquals(List.of(), differences(whole, merged));
    assertTrue(RunRecord.read(merged).finished().isPresent());
  }

  /** What is in the pool is checked when a run goes on, not only how long it is. */
  @Test
  void aPoolWithAChangedBitIsCollectedAgain() throws IOException {
    Path folder = temporary.resolve("changed");
    assertThrows(PulledPlug.class, () -> run(folder, options(), 1, interruptedAfter(11)));
    Path pool = folder.resolve("blocks/pool.f32");
    byte[] content = Files.readAllBytes(pool);
    content[content.length / 8 * 4 + 3] ^= 1; // the exponent of a number
    Files.write(pool, content);
    run(folder, options(), 1);
    assertEquals(List.of(), differences(whole, folder));
  }

  @Test
  void aMergeWithoutAllShardsIsRefused() throws IOException {
    Path first = temporary.resolve("shard0");
    part(first, new Shard(0, 2), options(), Progress.none());
    try (Workers workers = new Workers(1)) {
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () ->
                      SensitivityStudy.merge(List.of(first))
                          .run(temporary.resolve("merged"), workers))
              .getMessage();
      assertTrue(message.startsWith("1 of 2 blocks are missing (1)"), message);
    }
    assertFalse(Files.exists(temporary.resolve("merged")));
  }

  @Test
  void shardsOfDifferentRunsAreNotMerged() throws IOException {
    Path first = temporary.resolve("shard0");
    Path second = temporary.resolve("shard1");
    part(first, new Shard(0, 2), options(), Progress.none());
    part(second, new Shard(1, 2), with(0, 24), Progress.none());
    try (Workers workers = new Workers(1)) {
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () ->
                      SensitivityStudy.merge(List.of(first, second))
                          .run(temporary.resolve("merged"), workers))
              .getMessage();
      assertTrue(message.contains("different runs (seed is 24 here and 23 there)"), message);
    }
  }

  @Test
  void theFolderOfAnotherRunIsRefused() throws IOException {
    String before = Files.readString(whole.resolve("report.html"));
    String message =
        assertThrows(IllegalStateException.class, () -> run(whole, with(0, 24), 1)).getMessage();
    assertTrue(message.contains("output folder of another run (seed is 24 here"), message);
    assertEquals(before, Files.readString(whole.resolve("report.html")));
  }

  @Test
  void aLayerTheModelLacksIsRefused() {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new SensitivityStudy(gpt2, SensitivityOptions.of(TOKENS, "random", 3)))
              .getMessage();
      assertEquals("layer is 3, the model's are 0 to 2", message);
    }
  }

  private static void cutEnd(Path file, int bytes) throws IOException {
    if (Files.exists(file)) {
      byte[] content = Files.readAllBytes(file);
      Files.write(file, Arrays.copyOf(content, Math.max(0, content.length - bytes)));
    }
  }

  private static StudyOutcome run(Path folder, SensitivityOptions options, int threads)
      throws IOException {
    return run(folder, options, threads, Progress.none());
  }

  private static StudyOutcome run(
      Path folder, SensitivityOptions options, int threads, Progress progress) throws IOException {
    try (Backend backend = TinyModel.backend(threads);
        Workers workers = new Workers(threads)) {
      return new SensitivityStudy(TinyModel.on(backend), options).run(folder, progress, workers);
    }
  }

  private static void part(Path folder, Shard shard, SensitivityOptions options, Progress progress)
      throws IOException {
    try (Backend backend = TinyModel.backend(2);
        Workers workers = new Workers(2)) {
      new SensitivityStudy(TinyModel.on(backend), options)
          .runPart(folder, shard, progress, workers);
    }
  }

  private static SensitivityOptions options() {
    return with(0, SensitivityOptions.DEFAULT_SEED);
  }

  private static SensitivityOptions with(int batch, long seed) {
    return new SensitivityOptions(
        TOKENS,
        "random tokens",
        1,
        new Lengths.Given(LENGTHS),
        DIRECTIONS,
        TinySaes.both(),
        seed,
        60, // fewer than there are, so that the pool is a choice
        SensitivityOptions.DEFAULT_RIDGE,
        batch);
  }

  private static String[] line(Path folder, String start) throws IOException {
    return Files.readAllLines(folder.resolve("results.csv")).stream()
        .filter(line -> line.startsWith(start))
        .findFirst()
        .orElseThrow()
        .split(",");
  }
}
