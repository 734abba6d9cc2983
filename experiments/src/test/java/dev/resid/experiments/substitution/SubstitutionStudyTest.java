package dev.resid.experiments.substitution;

import static dev.resid.experiments.testing.StudyRuns.differences;
import static dev.resid.experiments.testing.StudyRuns.interruptedAfter;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.StudyRuns.PulledPlug;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.metric.KlDivergence;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SubstitutionStudyTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(19, 12, 12, 7, 12, 12, 12, 12, 12, 3);
  private static final int POSITION = 4;

  /** An uninterrupted run by one thread, which the others are compared with. */
  @TempDir private static Path whole;

  @TempDir private Path temporary;

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, Shard.WHOLE, 0, 1, Progress.none());
  }

  @Test
  void meansAreThoseOfPlainForwardRunsWithAHook() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      NamedSae sae = TinySaes.both().getFirst();
      HookPoint point = sae.sae().hookPoint();
      double reconstruction = 0;
      double zero = 0;
      double alone = 0;
      double zeroAlone = 0;
      int all = 0;
      int rows = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        Tensor clean = gpt2.forward(one).logits();
        Tensor replaced =
            gpt2.forward(one, point.replace((x, at) -> sae.sae().reconstruct(x))).logits();
        Tensor zeroed = gpt2.forward(one, point.replace((x, at) -> x.times(0))).logits();
        for (int pos = 0; pos < one.length(0) - 1; pos++) {
          reconstruction += kl(clean, replaced, pos);
          zero += kl(clean, zeroed, pos);
          all++;
        }
        if (one.length(0) > POSITION + 2 + 1) {
          Tensor single =
              gpt2.forward(
                      one,
                      point.replace(
                          (x, at) ->
                              x.with(
                                  Axis.POS,
                                  POSITION,
                                  sae.sae().reconstruct(x).at(Axis.POS, POSITION))))
                  .logits();
          alone += kl(clean, single, POSITION + 2);
          Tensor none =
              gpt2.forward(
                      one,
                      point.replace(
                          (x, at) -> x.with(Axis.POS, POSITION, x.at(Axis.POS, POSITION).times(0))))
                  .logits();
          zeroAlone += kl(clean, none, POSITION + 2);
          rows++;
        }
      }
      assertEquals(
          reconstruction / all,
          number("results.csv", "few,a,", ",sae,"),
          1e-5 * reconstruction / all);
      assertEquals(
          zero / all,
          number("results.csv", "blocks.1.hook_resid_pre,,", ",zero,"),
          1e-5 * zero / all);
      assertEquals(
          alone / rows, number("single-position.csv", "few,", "sae,2,"), 1e-5 * alone / rows);
      assertEquals(
          zeroAlone / rows,
          number("single-position.csv", "blocks.1.hook_resid_pre,", "zero,2,"),
          1e-5 * zeroAlone / rows);
    }
  }

  /** Norm-only of a reconstruction with the norm of x changes nothing; here norms differ. */
  @Test
  void everyReplacementMovesThePrediction() throws IOException {
    List<String> lines = Files.readAllLines(whole.resolve("results.csv"));
    assertEquals(1 + 2 * 8 + 3, lines.size(), "a line a case: " + lines);
    for (String line : lines.subList(1, lines.size())) {
      double kl = Double.parseDouble(line.split(",")[6]);
      assertTrue(kl > 1e-4, line);
    }
  }

  @Test
  void crossEntropiesAreThoseOfPlainForwardRunsWithAHook() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      NamedSae sae = TinySaes.both().getFirst();
      HookPoint point = sae.sae().hookPoint();
      double clean = 0;
      double spliced = 0;
      int all = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        Tensor logits = gpt2.forward(one).logits();
        Tensor replaced =
            gpt2.forward(one, point.replace((x, at) -> sae.sae().reconstruct(x))).logits();
        for (int pos = 0; pos < one.length(0) - 1; pos++, all++) {
          clean += crossEntropy(row(logits, pos), one.id(0, pos + 1));
          spliced += crossEntropy(row(replaced, pos), one.id(0, pos + 1));
        }
      }
      ResultTable table = ResultTable.read(whole, "results");
      int line = line(table, "few", "sae");
      assertEquals(spliced / all, table.number(line, "ce_nats").getAsDouble(), 1e-5);
      assertEquals(
          (spliced - clean) / all, table.number(line, "delta_ce_nats").getAsDouble(), 1e-5);
    }
  }

  /** The published mean has the first position in it, which is unlike all others in GPT-2. */
  @Test
  void bothMeansAreThoseOfTheData() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      HookPoint point = HookPoint.residPre(1);
      double[] sum = new double[TinyModel.CONFIG.dModel()];
      double[] first = new double[sum.length];
      for (int row = 0; row < TOKENS.rows(); row++) {
        Tensor x = gpt2.capture(TOKENS.slice(row, row + 1), point.capture()).get(point);
        for (int i = 0; i < x.elements(); i++) {
          (i < sum.length ? first : sum)[i % sum.length] +=
              x.get(0, i / sum.length, i % sum.length);
        }
      }
      int rest = TOKENS.tokenCount() - TOKENS.rows();
      float[] without = new float[sum.length];
      float[] with = new float[sum.length];
      for (int c = 0; c < sum.length; c++) {
        without[c] = (float) (sum[c] / rest);
        with[c] = (float) ((sum[c] + first[c]) / TOKENS.tokenCount());
      }
      double wanted = ablated(gpt2, point, without);
      double wantedWithFirst = ablated(gpt2, point, with);
      assertTrue(Math.abs(wanted - wantedWithFirst) > 1e-3 * wanted, "the two differ");
      ResultTable table = ResultTable.read(whole, "results");
      String name = point.name();
      assertEquals(
          wanted, table.number(line(table, name, "mean"), "kl_nats").getAsDouble(), 1e-5 * wanted);
      assertEquals(
          wantedWithFirst,
          table.number(line(table, name, "mean-with-first"), "kl_nats").getAsDouble(),
          1e-5 * wantedWithFirst);
    }
  }

  /** −ln softmax at a label, in float64. */
  private static double crossEntropy(float[] logits, int label) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp((double) logit - logits[label]);
    }
    return Math.log(sum);
  }

  private static double ablated(Gpt2 gpt2, HookPoint point, float... vector) {
    double sum = 0;
    int all = 0;
    for (int row = 0; row < TOKENS.rows(); row++) {
      TokenBatch one = TOKENS.slice(row, row + 1);
      float[] everywhere = new float[one.length(0) * vector.length];
      for (int i = 0; i < everywhere.length; i++) {
        everywhere[i] = vector[i % vector.length];
      }
      Tensor clean = gpt2.forward(one).logits();
      Tensor changed =
          gpt2.forward(one, point.replace((x, at) -> Tensor.wrap(x.shape(), everywhere))).logits();
      for (int pos = 0; pos < one.length(0) - 1; pos++, all++) {
        sum += kl(clean, changed, pos);
      }
    }
    return sum / all;
  }

  private static int line(ResultTable table, String subject, String substitute) {
    for (int row = 0; row < table.rows().size(); row++) {
      List<Object> cells = table.rows().get(row);
      if (cells.contains(subject) && cells.contains(substitute)) {
        return row;
      }
    }
    throw new AssertionError("no line of " + subject + " with " + substitute);
  }

  @Test
  void anAblationNeedsNoSae() throws IOException {
    Path folder = temporary.resolve("ablation");
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      SubstitutionOptions some =
          new SubstitutionOptions(
              TOKENS,
              "random tokens",
              List.of(),
              List.of(HookPoint.residPre(1)),
              List.of(Substitute.ZERO, Substitute.MEAN),
              List.of(Readout.KL),
              List.of(Substitute.MEAN, Substitute.NORM_ONLY),
              POSITION,
              SubstitutionOptions.DEFAULT_SEED,
              60,
              SubstitutionOptions.DEFAULT_RIDGE,
              0);
      new SubstitutionStudy(TinyModel.on(backend), some).run(folder, Progress.none(), workers);
    }
    ResultTable alone = ResultTable.read(folder, "results");
    ResultTable together = ResultTable.read(whole, "results");
    String name = HookPoint.residPre(1).name();
    assertEquals(2, alone.rows().size());
    assertEquals(
        together.number(line(together, name, "mean"), "kl_nats").getAsDouble(),
        alone.number(line(alone, name, "mean"), "kl_nats").getAsDouble());
  }

  @Test
  void aFigureSetsTheEffectOfEverySaeAgainstItsError() throws IOException {
    ResultTable table = ResultTable.read(whole, "results");
    Matcher tips =
        Pattern.compile("<title>([0-9.]+): ([0-9.]+) ")
            .matcher(Files.readString(whole.resolve("figures/by-error-kl-all-linear.svg")));
    Map<Double, Double> drawn = new TreeMap<>();
    while (tips.find()) {
      drawn.put(Double.parseDouble(tips.group(1)), Double.parseDouble(tips.group(2)));
    }
    int saes = 0;
    for (int row = 0; row < table.rows().size(); row++) {
      if (table.rows().get(row).contains("sae")) {
        saes++;
        double epsilon = table.number(row, "epsilon").getAsDouble();
        double kl = table.number(row, "kl_nats").getAsDouble();
        assertTrue(
            drawn.entrySet().stream()
                .anyMatch(
                    point ->
                        Math.abs(point.getKey() - epsilon) < 1e-2 * epsilon
                            && Math.abs(point.getValue() - kl) < 1e-2 * kl),
            epsilon + ", " + kl + " in " + drawn);
      }
    }
    assertEquals(2, saes);
    assertEquals(saes, drawn.size());
  }

  @Test
  void ablationsOfOnePositionAreDrawnAndJudged() throws IOException {
    String name = HookPoint.residPre(1).name();
    ResultTable table = ResultTable.read(whole, "single-position");
    List<Double> means = new ArrayList<>();
    for (int row = 0; row < table.rows().size(); row++) {
      if (table.rows().get(row).containsAll(List.of(name, "zero"))) {
        means.add(table.number(row, "kl_nats").getAsDouble());
      }
    }
    String svg = Files.readString(whole.resolve("figures/ablation-single-position-linear.svg"));
    Matcher tips = Pattern.compile("<title>(\\d+): ([-+0-9.eE]+)[ <]").matcher(svg);
    int drawn = 0;
    while (tips.find()) {
      double mean = means.get(Integer.parseInt(tips.group(1)));
      assertEquals(mean, Double.parseDouble(tips.group(2)), 1e-2 * mean);
      drawn++;
    }
    assertEquals(means.size(), drawn);
    String claim = "The effect of zero ablation at one position fades after it, " + name;
    ResultTable findings = ResultTable.read(whole, "findings");
    String found =
        findings.rows().stream()
            .filter(row -> row.getFirst().equals(claim))
            .findFirst()
            .orElseThrow()
            .get(2)
            .toString();
    String next = Numbers.significant(means.get(1) / means.get(0), 3);
    assertTrue(found.startsWith("Mean KL at the next position is " + next + " ("), found);
  }

  /** One part is interrupted, and has other threads and another batch: nothing of that is left. */
  @Test
  void interruptedPartsMakeTheBytesOfAWholeRun() throws IOException {
    Path first = temporary.resolve("shard0");
    Path second = temporary.resolve("shard1");
    for (int after : new int[] {1, 9}) {
      assertThrows(
          PulledPlug.class, () -> run(first, new Shard(0, 2), 3, 2, interruptedAfter(after)));
    }
    run(first, new Shard(0, 2), 3, 2, Progress.none());
    run(second, new Shard(1, 2), 0, 1, Progress.none());
    assertFalse(Files.exists(second.resolve("results.csv")));
    Path merged = temporary.resolve("merged");
    try (Workers workers = new Workers(2)) {
      SubstitutionStudy.merge(List.of(second, first)).run(merged, workers);
    }
    assertEquals(List.of(), differences(whole, merged));
  }

  @Test
  void aRunWithoutSaesIsRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> SubstitutionOptions.of(TOKENS, "random", List.of()))
            .getMessage();
    assertTrue(message.contains("name one with --sae"), message);
  }

  private static double number(String file, String start, String middle) throws IOException {
    String line =
        Files.readAllLines(whole.resolve(file)).stream()
            .filter(l -> l.startsWith(start) && l.contains(middle))
            .findFirst()
            .orElseThrow();
    return Double.parseDouble(line.substring(line.indexOf(middle) + middle.length()).split(",")[0]);
  }

  private static double kl(Tensor clean, Tensor changed, int pos) {
    return KlDivergence.nats(row(clean, pos), row(changed, pos));
  }

  private static float[] row(Tensor logits, int pos) {
    return logits.at(Axis.POS, pos).toArray();
  }

  private static void run(Path folder, Shard shard, int batch, int threads, Progress progress)
      throws IOException {
    try (Backend backend = TinyModel.backend(threads);
        Workers workers = new Workers(threads)) {
      StudyRuns.run(
          new SubstitutionStudy(TinyModel.on(backend), options(batch)),
          folder,
          shard,
          progress,
          workers);
    }
  }

  private static SubstitutionOptions options(int batch) {
    return new SubstitutionOptions(
        TOKENS,
        "random tokens",
        TinySaes.both(),
        List.of(),
        Arrays.asList(Substitute.values()),
        Arrays.asList(Readout.values()),
        List.of(Substitute.RECONSTRUCTION, Substitute.NORM_ONLY, Substitute.ZERO),
        POSITION,
        SubstitutionOptions.DEFAULT_SEED,
        60,
        SubstitutionOptions.DEFAULT_RIDGE,
        batch);
  }
}
