package dev.resid.experiments.robustness;

import static dev.resid.experiments.testing.StudyRuns.differences;
import static dev.resid.experiments.testing.StudyRuns.interruptedAfter;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.ThetaRandom;
import dev.resid.experiments.sweep.RowRange;
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
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RobustnessStudyTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(12, 9, 12, 7, 12, 3);
  private static final HookPoint TURNED = HookPoint.attnOut(2);

  /** An uninterrupted run by one thread, which the others are compared with. */
  @TempDir private static Path whole;

  @TempDir private Path temporary;

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, Shard.WHOLE, 0, 1, Progress.none());
  }

  /** Turned vectors put in by a hook of a plain forward pass, and sums taken in this test. */
  @Test
  void meansAreThoseOfPlainForwardRunsWithAHook() throws IOException {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      ThetaRandom turned = ThetaRandom.of(0.6, 0.9);
      double kl = 0;
      double deltaCe = 0;
      int n = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        int number = row;
        TokenBatch one = TOKENS.slice(row, row + 1);
        Tensor clean = gpt2.forward(one).logits();
        Tensor changed =
            gpt2.forward(
                    one,
                    TURNED.replace(
                        (x, at) ->
                            turned.draw(
                                RobustnessOptions.DEFAULT_SEED,
                                BasePoints.of(x, number, one.lengths()),
                                workers)))
                .logits();
        for (int pos = 0; pos < one.length(0) - 1; pos++) {
          float[] p = clean.at(Axis.POS, pos).toArray();
          float[] q = changed.at(Axis.POS, pos).toArray();
          kl += KlDivergence.nats(p, q);
          deltaCe += crossEntropy(q, one.id(0, pos + 1)) - crossEntropy(p, one.id(0, pos + 1));
          n++;
        }
      }
      String[] cells = line("results.csv", TURNED.name(), ",0.9,0.6,").split(",");
      assertEquals(kl / n, Double.parseDouble(cells[4]), 1e-5 * kl / n);
      assertEquals(deltaCe / n, Double.parseDouble(cells[7]), 1e-5);
    }
  }

  private static double crossEntropy(float[] logits, int label) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum) - logits[label];
  }

  /** T16 of the definitions: cosine 1 and the norm of x is x itself. */
  @Test
  void anActivationThatIsNotTurnedChangesNothing() {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      RobustnessLayout sizes =
          new RobustnessLayout(List.of(TURNED), List.of(1.0, 0.5), List.of(1.0), List.of());
      RobustnessOptions options =
          new RobustnessOptions(
              TOKENS,
              "random tokens",
              sizes.points(),
              sizes.cosines(),
              sizes.ratios(),
              List.of(),
              1,
              0);
      double[][] rows =
          new RobustnessSweep(
                  TinyModel.on(backend), options, sizes, new BatchSizes(2, 2, 0, 3), workers)
              .compute(new RowRange(1, 4), done -> {});
      for (double[] row : rows) {
        for (int readout = 0; readout < 2; readout++) {
          for (int part = 0; part < 2; part++) {
            assertEquals(0, row[sizes.rows().index("random", 0, 0, 0, readout, part)], 1e-12);
            assertNotEquals(0, row[sizes.rows().index("random", 0, 0, 1, readout, part)], 1e-4);
          }
        }
      }
    }
  }

  @Test
  void factsAndBinsOfAnSaeAreThoseOfItsReconstruction() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      NamedSae sae = TinySaes.both().getFirst();
      double cosines = 0;
      double lengths = 0;
      int n = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        HookPoint point = sae.sae().hookPoint();
        Tensor x = gpt2.capture(one, point.capture()).get(point);
        Tensor y = sae.sae().reconstruct(x);
        for (int pos = 0; pos < one.length(0) - 1; pos++) {
          float[] a = x.at(Axis.POS, pos).toArray();
          float[] b = y.at(Axis.POS, pos).toArray();
          cosines += dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
          lengths += Math.sqrt(dot(b, b) / dot(a, a));
          n++;
        }
      }
      String[] cells = line("saes.csv", "few", ",sae,").split(",");
      assertEquals(2, Double.parseDouble(cells[3]), "top 2 of the features");
      assertEquals(cosines / n, Double.parseDouble(cells[4]), 1e-6);
      assertEquals(lengths / n, Double.parseDouble(cells[5]), 1e-6);
      double inBins = 0;
      double kl = 0;
      for (String line : Files.readAllLines(whole.resolve("bins.csv"))) {
        if (line.startsWith("few,")) {
          String[] bin = line.split(",");
          inBins += Double.parseDouble(bin[2]);
          kl += Double.parseDouble(bin[2]) * Double.parseDouble(bin[4]);
          assertEquals(
              Integer.parseInt(bin[1]), RobustnessLayout.bin(Double.parseDouble(bin[3])), line);
        }
      }
      assertEquals(n - TOKENS.rows(), inBins);
      assertEquals(Double.parseDouble(cells[13]), kl / inBins, 1e-9 * kl);
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  @Test
  void binsOfTheCosineAreSixADecade() {
    assertEquals(0, RobustnessLayout.bin(-1));
    assertEquals(0, RobustnessLayout.bin(-1e-9));
    assertEquals(1, RobustnessLayout.bin(1e-9));
    assertEquals(7, RobustnessLayout.bin(0.9001));
    assertEquals(13, RobustnessLayout.bin(0.99001));
    assertEquals(19, RobustnessLayout.bin(0.9999999));
    assertEquals(19, RobustnessLayout.bin(1));
  }

  /** One part was interrupted, with other threads and batches; nothing of that is left over. */
  @Test
  void mergedPartsAreTheWholeRun() throws IOException {
    Path first = temporary.resolve("shard0");
    Path second = temporary.resolve("shard1");
    Shard shard = new Shard(0, 2);
    assertThrows(PulledPlug.class, () -> run(first, shard, 3, 2, interruptedAfter(6)));
    run(first, shard, 3, 2, Progress.none());
    run(second, new Shard(1, 2), 1, 1, Progress.none());
    assertFalse(Files.exists(first.resolve("report.html")));
    Path merged = temporary.resolve("merged");
    try (Workers workers = new Workers(2)) {
      RobustnessStudy.merge(List.of(second, first)).run(merged, workers);
    }
    assertEquals(List.of(), differences(whole, merged));
  }

  @Test
  void requestsThatMakeNoSenseAreRefused() {
    refused("each below the one before", List.of(0.5, 0.9), HookPoint.attnOut(0));
    refused("from 1 to -1", List.of(1.5), HookPoint.attnOut(0));
    refused("not turned", List.of(1.0), HookPoint.z(0));
  }

  private static void refused(String words, List<Double> cosines, HookPoint point) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new RobustnessOptions(
                        TOKENS, "", List.of(point), cosines, List.of(1.0), List.of(), 1, 0))
            .getMessage();
    assertTrue(message.contains(words), message);
  }

  private static String line(String file, String start, String middle) throws IOException {
    return Files.readAllLines(whole.resolve(file)).stream()
        .filter(l -> l.startsWith(start) && l.contains(middle))
        .findFirst()
        .orElseThrow();
  }

  private static void run(Path folder, Shard shard, int batch, int threads, Progress progress)
      throws IOException {
    try (Backend backend = TinyModel.backend(threads);
        Workers workers = new Workers(threads)) {
      StudyRuns.run(
          new RobustnessStudy(TinyModel.on(backend), options(batch)),
          folder,
          shard,
          progress,
          workers);
    }
  }

  private static RobustnessOptions options(int batch) {
    return new RobustnessOptions(
        TOKENS,
        "random tokens",
        List.of(TURNED, HookPoint.residPre(1)),
        List.of(1.0, 0.6, 0.1),
        List.of(0.9),
        TinySaes.both(),
        RobustnessOptions.DEFAULT_SEED,
        batch);
  }
}
