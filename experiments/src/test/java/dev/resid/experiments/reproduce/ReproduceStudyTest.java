package dev.resid.experiments.reproduce;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.reproduce.ReproduceOptions.Files;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.io.DType;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.progress.Progress;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Published numbers that are known here, because the test computes them by other means. */
class ReproduceStudyTest {
  private static final HookPoint POINT = HookPoint.residPre(1);
  private static final String HEADER =
      """
      # a table of the test
      fact\tlayers\t3
      fact\twidth\t16
      sae\ttiny/many\tlocal\t-\tblocks.1.hook_resid_pre\t48\tnowhere
      sae\ttiny/other\tlocal\t-\tblocks.1.hook_resid_pre\t48\ta shelf
      """;

  @TempDir private Path temporary;

  private Backend backend;
  private Workers workers;
  private Gpt2 gpt2;

  @BeforeEach
  void open() {
    backend = TinyModel.backend(1);
    workers = new Workers(1);
    gpt2 = TinyModel.on(backend);
  }

  @AfterEach
  void close() {
    workers.close();
    backend.close();
  }

  private static String number(
      String what,
      String part,
      String sae,
      String table,
      String column,
      String printed,
      String rule) {
    String where = (sae.equals("-") ? "point=blocks.1.hook_resid_pre" : "sae=@") + ";from=1;to=";
    String size = rule.equals("sample") ? "\t9\t0\t-\n" : "\t0\t0\t-\n";
    return "number\ttest\t"
        + what
        + "\t"
        + part
        + "\t"
        + sae
        + "\t"
        + table
        + "\t"
        + where
        + (part.equals("bos") ? "1" : "3")
        + "\t"
        + column
        + "\t"
        + printed
        + "\t"
        + rule
        + size;
  }

  private static String printed(double value) {
    return String.format(Locale.ROOT, "%.5g", value);
  }

  private NamedSae many() {
    return TinySaes.both().getLast();
  }

  /** Returns the residual stream of a token that stands alone, [d_model]. */
  private double[] bos() {
    float[] x = gpt2.capture(TokenBatch.of(new int[] {0}), POINT.capture()).get(POINT).toArray();
    double[] wide = new double[x.length];
    Arrays.setAll(wide, i -> x[i]);
    return wide;
  }

  private static double norm(double... x) {
    return Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
  }

  /** Returns the features of one activation in float64. */
  private static double[] features(SaeWeights weights, double... x) {
    Tensor encoder = weights.get(SaeWeight.W_enc);
    double[] features = new double[48];
    for (int i = 0; i < features.length; i++) {
      double sum = weights.get(SaeWeight.b_enc).get(i);
      for (int c = 0; c < x.length; c++) {
        sum += (x[c] - weights.get(SaeWeight.b_dec).get(c)) * encoder.get(c, i);
      }
      features[i] = Math.max(0, sum);
    }
    return features;
  }

  private ReproduceOptions options(String numbers, Files files) throws IOException {
    Path folder = temporary.resolve("many");
    SaeCheckpoint.save(many().sae(), DType.F32, folder);
    PublishedTable table = PublishedTable.parse(HEADER + numbers, "test");
    GivenSaes given = new GivenSaes(table, new SaeCatalogue(List.of()), WeightsState.RAW);
    given.add("tiny/many=" + folder);
    return new ReproduceOptions(table, given.all(), files, List.of(Part.values()), 2, 2, 0);
  }

  private Path rows() throws IOException {
    Path file = temporary.resolve("rows.json");
    java.nio.file.Files.writeString(file, "[[5, 6, 7, 8], [9, 10, 11, 12], [1, 2, 3, 4]]");
    return file;
  }

  private String numbers() {
    double[] x = bos();
    double[] features = features(many().sae().weights(), x);
    long active = Arrays.stream(features).filter(v -> v > 0).count();
    return number("norm", "bos", "-", "clean", "norm", printed(norm(x)), "rounding")
        + number("active", "bos", "tiny/many", "ranges", "l0", "" + active, "exact")
        + number(
            "sum",
            "bos",
            "tiny/many",
            "ranges",
            "l1",
            printed(Arrays.stream(features).sum()),
            "rounding")
        + number("wrong", "bos", "tiny/many", "ranges", "l0", "" + (active + 1), "exact")
        + number("absent", "bos", "tiny/other", "ranges", "l0", "3", "exact");
  }

  @Test
  void numbersHoldDoNotHoldOrLackTheirFiles() throws IOException {
    String tokens = number("nats", "evaluation-rows", "-", "clean", "ce_nats", "3.5", "sample");
    String both = number("l1", "evaluation-rows", "tiny/other", "ranges", "l1", "3", "sample");
    ReproduceOutcome outcome =
        new ReproduceStudy(gpt2, options(numbers() + tokens + both, Files.none()))
            .run(temporary.resolve("out"), Progress.none(), workers);
    assertEquals(
        List.of("norm", "active", "sum", "wrong"),
        outcome.checks().stream().map(check -> check.number().what()).toList());
    assertEquals(
        List.of(Verdict.HOLDS, Verdict.HOLDS, Verdict.HOLDS, Verdict.DOES_NOT_HOLD),
        outcome.checks().stream().map(Check::verdict).toList());
    assertEquals(2, outcome.missing().size());
    assertEquals("--saes with tiny/other: a shelf", outcome.missing().get(0).file());
    assertEquals(
        List.of(2, 2), outcome.missing().stream().map(Missing::numbers).toList(), "one needs both");
    assertTrue(outcome.missing().get(1).file().startsWith("--tokens FILE: rows of"));
    String page = java.nio.file.Files.readString(outcome.report());
    assertTrue(page.contains("does not hold") && page.contains("a shelf"));
  }

  @Test
  void meansOfSamplesHaveTheToleranceOfBothSamples() throws IOException {
    Path rows = rows();
    double[] sums = new double[2];
    TokenBatch tokens = TokenBatch.readJson(rows);
    for (int row = 0; row < 2; row++) {
      float[] x = gpt2.capture(tokens.slice(row, row + 1), POINT.capture()).get(POINT).toArray();
      for (int pos = 0; pos < 3; pos++) {
        double squares = 0;
        for (int c = pos * 16; c < pos * 16 + 16; c++) {
          squares += (double) x[c] * x[c];
        }
        sums[row] += Math.sqrt(squares) / 3;
      }
    }
    double mean = (sums[0] + sums[1]) / 2;
    double apart = Math.abs(sums[0] - sums[1]);
    Files files =
        new Files(Optional.empty(), Optional.of(rows), Optional.empty(), Optional.empty());
    String near = number("near", "evaluation-rows", "-", "clean", "norm", printed(mean), "sample");
    String far =
        number("far", "evaluation-rows", "-", "clean", "norm", printed(mean + 5 * apart), "sample");
    List<Check> checks =
        new ReproduceStudy(gpt2, options(near + far, files))
            .run(temporary.resolve("out"), Progress.none(), workers)
            .checks();
    assertEquals(mean, checks.getFirst().value().getAsDouble(), 1e-5 * mean);
    // Resamples of two rows are both of one row half of the time, so that the middle 95 % of their
    // means are as far apart as the rows: 1/(2 · 1.96) of that is the standard error here, and the
    // published sample of 9 rows has √(2/9) of it.
    double expected = 4 * apart / (2 * 1.959964) * Math.sqrt(1 + 2.0 / 9);
    assertEquals(expected, checks.getFirst().tolerance().getAsDouble(), 1e-3 * expected + 1e-3);
    assertEquals(Verdict.DOES_NOT_HOLD, checks.getLast().verdict());
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    Files files =
        new Files(Optional.empty(), Optional.of(rows()), Optional.empty(), Optional.empty());
    String tokens =
        number("nats", "evaluation-rows", "tiny/many", "ranges", "sae_ce_nats", "3.5", "sample");
    ReproduceStudy study = new ReproduceStudy(gpt2, options(numbers() + tokens, files));
    Path stopped = temporary.resolve("stopped");
    assertThrows(
        StudyRuns.PulledPlug.class, () -> study.run(stopped, SmallModel.stoppingAfter(2), workers));
    assertFalse(java.nio.file.Files.exists(stopped.resolve("numbers.csv")));
    study.run(stopped, Progress.none(), workers);
    Path whole = temporary.resolve("whole");
    study.run(whole, Progress.none(), workers);
    for (String file : List.of("numbers.csv", "missing.csv", "summary.csv", "report.html")) {
      assertArrayEquals(
          java.nio.file.Files.readAllBytes(whole.resolve(file)),
          java.nio.file.Files.readAllBytes(stopped.resolve(file)),
          file);
    }
    assertTrue(
        assertThrows(
                IllegalStateException.class,
                () ->
                    new ReproduceStudy(gpt2, options(tokens, files))
                        .run(whole, Progress.none(), workers))
            .getMessage()
            .contains("the output folder of another run"));
  }

  @Test
  void anotherModelIsRefused() throws IOException {
    ReproduceOptions options = options(numbers(), Files.none());
    PublishedTable table = options.table();
    PublishedTable wider =
        new PublishedTable(
            java.util.Map.of("layers", 3, "width", 32), table.saes(), table.numbers());
    ReproduceOptions other =
        new ReproduceOptions(wider, List.of(), Files.none(), options.parts(), 2, 2, 0);
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> new ReproduceStudy(gpt2, other))
            .getMessage()
            .startsWith("the published numbers are of a model of 3 blocks and width 32"));
  }
}
