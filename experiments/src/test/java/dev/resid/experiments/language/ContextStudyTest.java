package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.PositionValues;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.SpliceMode;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextStudyTest {
  private static final int POSITIONS = 8;

  @TempDir private Path temporary;

  private Backend backend;
  private Workers workers;

  @BeforeEach
  void open() {
    backend = SmallModel.backend();
    workers = new Workers(2);
  }

  @AfterEach
  void close() {
    workers.close();
    backend.close();
  }

  private static ContextOptions options(int rows, List<NamedSae> saes) {
    int[][] tokens =
        IntStream.range(0, rows).mapToObj(r -> SmallModel.row(POSITIONS, r)).toArray(int[][]::new);
    return new ContextOptions(TokenBatch.of(tokens), saes, "test", 1);
  }

  @Test
  void crossEntropiesAreThoseOfRunsWithTheSaeSpliced() {
    Gpt2 gpt2 = SmallModel.on(backend);
    ContextOptions options = options(3, TinySaes.both());
    double[][] rows = new ContextStudy(gpt2, options).compute(new RowRange(0, 3), done -> {});
    RowLayout layout = ContextStudy.layout(options);
    for (int r = 0; r < 3; r++) {
      TokenBatch row = options.tokens().slice(r, r + 1);
      PositionValues clean = gpt2.crossEntropyNats(row);
      for (int s = 0; s < 2; s++) {
        Sae sae = options.saes().get(s).sae();
        PositionValues with =
            gpt2.crossEntropyNats(
                row, sae.hookPoint().replace(sae.splice(SpliceMode.RECONSTRUCTION)));
        for (int pos = 0; pos < POSITIONS - 1; pos++) {
          assertEquals(clean.get(0, pos), rows[r][layout.index(ContextStudy.CE, pos)], 1e-5);
          assertEquals(with.get(0, pos), rows[r][layout.index(ContextStudy.SAE_CE, s, pos)], 1e-5);
        }
      }
    }
    // The last position has no next token.
    assertThrows(
        IndexOutOfBoundsException.class, () -> layout.index(ContextStudy.CE, POSITIONS - 1));
  }

  /** T33: without position embedding and attention a position does not know where it is. */
  @Test
  void withoutPositionsAndAttentionEveryPositionIsAlike() {
    Gpt2Weights weights = SmallModel.on(backend).weights();
    Map<Weight, Tensor> tensors = new HashMap<>();
    for (Weight weight : Weight.all(SmallModel.CONFIG)) {
      boolean without = weight.name() == WeightNames.W_pos || weight.name() == WeightNames.W_O;
      if (weight.name() != WeightNames.W_U) {
        tensors.put(weight, weights.get(weight).times(without ? 0 : 1));
      }
    }
    Gpt2 gpt2 = Gpt2.of(Gpt2Weights.of(SmallModel.CONFIG, tensors), backend);
    int rows = 60;
    double[][] values =
        new ContextStudy(gpt2, options(rows, TinySaes.both()))
            .compute(new RowRange(0, rows), done -> {});
    RowLayout layout = ContextStudy.layout(options(rows, TinySaes.both()));
    for (int q = 0; q < ClozeLayout.QUANTITIES; q++) {
      double[] sum = new double[POSITIONS];
      double[] squares = new double[POSITIONS];
      for (double[] row : values) {
        for (int pos = 1; pos < POSITIONS; pos++) {
          double value = row[layout.index(ContextStudy.QUALITY, 1, q, pos)];
          sum[pos] += value;
          squares[pos] += value * value;
        }
      }
      double mean = IntStream.range(1, POSITIONS).mapToDouble(p -> sum[p]).sum() / 7 / rows;
      for (int pos = 1; pos < POSITIONS; pos++) {
        double variance = squares[pos] / rows - Math.pow(sum[pos] / rows, 2);
        // Five standard errors of a mean over 60 rows.
        assertEquals(
            mean, sum[pos] / rows, 5 * Math.sqrt(variance / rows) + 1e-9, q + " at " + pos);
      }
      // And the same token gives the same numbers wherever it stands.
      assertEquals(
          values[0][layout.index(ContextStudy.QUALITY, 1, q, 0)],
          values[1][layout.index(ContextStudy.QUALITY, 1, q, 0)]);
    }
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    Gpt2 gpt2 = SmallModel.on(backend);
    ContextStudy study = new ContextStudy(gpt2, options(6, TinySaes.both()));
    Path stopped = temporary.resolve("stopped");
    assertThrows(
        StudyRuns.PulledPlug.class, () -> study.run(stopped, SmallModel.stoppingAfter(7), workers));
    study.run(stopped, Progress.none(), workers);
    Path whole = temporary.resolve("whole");
    study.run(whole, Progress.none(), workers);
    for (String file : List.of("results.csv", "positions.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(stopped.resolve(file)), file);
    }
    assertEquals(
        1 + 2 * (POSITIONS - 1), Files.readAllLines(whole.resolve("positions.csv")).size());
  }

  @Test
  void rowsOfDifferentLengthsAndNoSaesAreRefused() {
    TokenBatch ragged = TokenBatch.of(new int[] {0, 1, 2}, new int[] {0, 1, 2, 3});
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> new ContextOptions(ragged, TinySaes.both(), "test", 1))
            .getMessage()
            .startsWith("rows need one length"));
    assertThrows(IllegalArgumentException.class, () -> options(2, List.of()));
  }

  @Test
  void theCleanModelIsMeasuredWithoutSaes() throws IOException {
    Gpt2 gpt2 = SmallModel.on(backend);
    List<HookPoint> points = List.of(HookPoint.residPre(0), HookPoint.residPre(2));
    TokenBatch tokens = options(3, TinySaes.both()).tokens();
    ContextOptions options =
        new ContextOptions(tokens, List.of(), points, List.of(new PositionRange(2, 4)), "test", 1);
    Path folder = temporary.resolve("clean");
    new ContextStudy(gpt2, options).run(folder, Progress.none(), workers);
    double norm = 0;
    double nats = 0;
    for (int r = 0; r < 3; r++) {
      TokenBatch row = tokens.slice(r, r + 1);
      Tensor x = gpt2.capture(row, points.get(1).capture()).get(points.get(1));
      PositionValues ce = gpt2.crossEntropyNats(row);
      for (int pos = 1; pos <= 3; pos++) {
        double squares = 0;
        for (int c = 0; c < SmallModel.CONFIG.dModel(); c++) {
          squares += Math.pow(x.get(0, pos, c), 2);
        }
        norm += Math.sqrt(squares) / 9;
        nats += ce.get(0, pos) / 9;
      }
    }
    ResultTable clean = ResultTable.read(folder, "clean");
    assertEquals(2, clean.rows().size());
    assertEquals("blocks.2.hook_resid_pre", clean.rows().get(1).get(0));
    assertEquals(norm, clean.number(1, "norm").getAsDouble(), 1e-9);
    assertEquals(nats, clean.number(1, "ce_nats").getAsDouble(), 1e-6);
    assertTrue(ResultTable.read(folder, "ranges").rows().isEmpty());
  }

  @Test
  void rangesAreMeansOfPositionsWithTheFitOfEachSae() throws IOException {
    Gpt2 gpt2 = SmallModel.on(backend);
    List<PositionRange> ranges = List.of(PositionRange.parse("1"), PositionRange.parse("3-5"));
    ContextOptions options =
        new ContextOptions(
            options(3, TinySaes.both()).tokens(), TinySaes.both(), List.of(), ranges, "test", 1);
    Path folder = temporary.resolve("ranges");
    new ContextStudy(gpt2, options).run(folder, Progress.none(), workers);
    ResultTable positions = ResultTable.read(folder, "positions");
    ResultTable table = ResultTable.read(folder, "ranges");
    assertEquals(4, table.rows().size());
    for (String name : List.of("l0", "l1", "squared_error", "norm", "sae_ce_nats")) {
      double mean = 0;
      for (int pos = 3; pos <= 5; pos++) {
        mean += positions.number(POSITIONS - 1 + pos - 1, name).getAsDouble() / 3;
      }
      assertEquals(mean, table.number(3, name).getAsDouble(), 1e-9, name);
    }
    // ‖SAE(x) − x‖² = ‖x‖² + ‖SAE(x)‖² − 2·‖x‖·‖SAE(x)‖·cos, at the only position of its range.
    double x = table.number(0, "norm").getAsDouble();
    double hat = table.number(0, "reconstruction_norm").getAsDouble();
    double cosine = table.number(0, "cosine").getAsDouble();
    double error = table.number(0, "squared_error").getAsDouble();
    assertEquals(error, x * x + hat * hat - 2 * x * hat * cosine, 1e-6 * error);
    assertEquals(Math.sqrt(error), table.number(0, "error").getAsDouble(), 1e-9);
  }

  @Test
  void figuresShowTheMeansOfTheTables() throws IOException {
    Gpt2 gpt2 = SmallModel.on(backend);
    Path folder = temporary.resolve("figures");
    new ContextStudy(gpt2, options(3, TinySaes.both())).run(folder, Progress.none(), workers);
    ResultTable positions = ResultTable.read(folder, "positions");
    // The first series of the first panel is the first SAE, its first point position 1.
    assertEquals(
        positions.number(0, "sae_ce_nats").getAsDouble(),
        first(folder, "context-sizes-ce-group-0"),
        5e-3);
    double l0 = positions.number(0, "l0").getAsDouble();
    assertEquals(l0, first(folder, "context-sizes-group-0"), 5e-3 * l0);
    ResultTable findings = ResultTable.read(folder, "findings");
    String late =
        findings.rows().stream()
            .filter(row -> row.getFirst().equals("More features are active late in the context"))
            .findFirst()
            .orElseThrow()
            .toString();
    int n = positions.rows().size() / 2; // positions of each of the two SAEs
    double more = 0;
    for (int p = 1; p < n; p++) {
      boolean second = p >= n / 2;
      int of = second ? n - n / 2 : n / 2 - 1;
      more += (second ? 1 : -1) * positions.number(p, "l0").getAsDouble() / of;
    }
    assertTrue(late.contains(" " + Numbers.significant(more, 3) + " ("), more + " in " + late);
    // The SAE of the other family has axes of its own.
    double other = positions.number(positions.rows().size() / 2, "l0").getAsDouble();
    assertEquals(other, first(folder, "context-sizes-group-1"), 5e-3 * other);
    assertFalse(Files.exists(folder.resolve("figures/context-layers.svg")), "one layer only");
    assertTrue(Files.exists(folder.resolve("figures/context-errors.png")));
  }

  private static double first(Path folder, String figure) throws IOException {
    Matcher matcher =
        Pattern.compile("<title>1: ([0-9.]+)")
            .matcher(Files.readString(folder.resolve("figures/" + figure + ".svg")));
    assertTrue(matcher.find(), figure);
    return Double.parseDouble(matcher.group(1));
  }

  @Test
  void rangesThatDoNotExistAreRefused() {
    TokenBatch tokens = options(2, TinySaes.both()).tokens();
    for (String text : List.of("0", "5-4", "x", "1-2-3")) {
      assertThrows(IllegalArgumentException.class, () -> PositionRange.parse(text), text);
    }
    List<PositionRange> late = List.of(new PositionRange(2, POSITIONS));
    assertTrue(
        assertThrows(
                IllegalArgumentException.class,
                () -> new ContextOptions(tokens, TinySaes.both(), List.of(), late, "test", 1))
            .getMessage()
            .startsWith("positions 2-8 do not exist"));
    ContextOptions pattern =
        new ContextOptions(tokens, List.of(), List.of(HookPoint.pattern(0)), List.of(), "test", 1);
    assertThrows(
        IllegalArgumentException.class, () -> new ContextStudy(SmallModel.on(backend), pattern));
  }
}
