package dev.resid.experiments.language;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.ClozeOptions.Quality;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.SpliceMode;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClozeStudyTest {
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

  /** Returns prompts whose answers are what the model says, by turns, and something else. */
  private List<ClozePrompt> prompts(int... lengths) {
    List<ClozePrompt> prompts = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      TokenBatch tokens = TokenBatch.of(SmallModel.row(lengths[i], i));
      double[] logProbs = last(gpt2.forward(tokens), lengths[i]);
      int best = 0;
      for (int v = 0; v < logProbs.length; v++) {
        best = logProbs[v] > logProbs[best] ? v : best;
      }
      prompts.add(new ClozePrompt(tokens, i % 2 == 0 ? best : (best + 1) % 50, "text " + i, 0));
    }
    return prompts;
  }

  private static double[] last(ForwardResult run, int length) {
    return LogSoftmax.rows(run.logits())[length - 1];
  }

  private ClozeOptions options(List<NamedSae> saes, int... lengths) {
    return new ClozeOptions(ClozeTask.LAMBADA, prompts(lengths), saes, "test", 3);
  }

  @Test
  void numbersAreThoseOfRunsWithTheSaeSpliced() {
    ClozeOptions options = options(TinySaes.both(), 9, 6, 3, 2);
    RowLayout layout = ClozeLayout.of(2);
    double[][] rows = new ClozeSweep(gpt2, options).compute(new RowRange(0, 4), done -> {});
    for (int i = 0; i < 4; i++) {
      ClozePrompt prompt = options.prompts().get(i);
      double lnP = last(gpt2.forward(prompt.tokens()), prompt.length())[prompt.answer()];
      assertEquals(lnP, rows[i][layout.index(ClozeLayout.LN_P)], 1e-6);
      assertEquals(i % 2 == 0 ? 1 : 0, rows[i][layout.index(ClozeLayout.CORRECT)]);
      for (int s = 0; s < 2; s++) {
        Sae sae = options.saes().get(s).sae();
        ForwardResult run =
            gpt2.forward(
                prompt.tokens(), sae.hookPoint().replace(sae.splice(SpliceMode.RECONSTRUCTION)));
        double[] logProbs = last(run, prompt.length());
        // Both are float32 passes of the same numbers; a wrong position or SAE is off by far more.
        assertEquals(
            logProbs[prompt.answer()] - lnP,
            rows[i][layout.index(ClozeLayout.DELTA_LN_P, s)],
            1e-5,
            "prompt " + i + " SAE " + s);
        double[][] all = LogSoftmax.rows(run.logits());
        double sum = 0;
        for (int pos = 1; pos <= prompt.length() - 3; pos++) {
          sum -= all[pos][prompt.tokens().id(0, pos + 1)];
        }
        assertEquals(sum, rows[i][layout.index(ClozeLayout.SAE_CE_SUM, s)], 1e-4);
      }
    }
    assertEquals(0, rows[3][layout.index(ClozeLayout.CE_COUNT)]);
  }

  @Test
  void qualityIsOfTheCleanActivationWithoutTheLastToken() {
    ClozeOptions options = options(TinySaes.both(), 7);
    double[] row = new ClozeSweep(gpt2, options).compute(new RowRange(0, 1), done -> {})[0];
    RowLayout layout = ClozeLayout.of(2);
    HookPoint point = HookPoint.residPre(1);
    Tensor x = gpt2.capture(options.prompts().getFirst().tokens(), point.capture()).get(point);
    for (int s = 0; s < 2; s++) {
      Sae sae = options.saes().get(s).sae();
      Tensor hat = sae.reconstruct(x);
      double error = 0;
      double norms = 0;
      double l0 = 0;
      Tensor dense = sae.encode(x).toDense();
      for (int pos = 0; pos < 6; pos++) {
        double squares = 0;
        for (int c = 0; c < 16; c++) {
          error += Math.pow((double) hat.get(0, pos, c) - x.get(0, pos, c), 2);
          squares += Math.pow(x.get(0, pos, c), 2);
        }
        norms += Math.sqrt(squares);
        for (int f = 0; f < dense.shape().last(); f++) {
          l0 += dense.get(0, pos, f) > 0 ? 1 : 0;
        }
      }
      assertEquals(l0, row[layout.index(ClozeLayout.SUMS, s, ClozeLayout.L0)]);
      assertEquals(
          error, row[layout.index(ClozeLayout.SUMS, s, ClozeLayout.SQUARED_ERROR)], 1e-4 * error);
      assertEquals(norms, row[layout.index(ClozeLayout.SUMS, s, ClozeLayout.NORM)], 1e-6 * norms);
    }
  }

  @Test
  void publishedQualityIsOfTheReconstructionAndOfTheSaeTwice() {
    ClozeOptions defined = options(TinySaes.both(), 7);
    ClozeOptions options =
        new ClozeOptions(
            ClozeTask.LAMBADA,
            defined.prompts(),
            defined.saes(),
            "test",
            Quality.OF_RECONSTRUCTION,
            3);
    RowLayout layout = ClozeLayout.of(2);
    double[] row = new ClozeSweep(gpt2, options).compute(new RowRange(0, 1), done -> {})[0];
    double[] usual = new ClozeSweep(gpt2, defined).compute(new RowRange(0, 1), done -> {})[0];
    TokenBatch tokens = options.prompts().getFirst().tokens();
    HookPoint point = HookPoint.residPre(1);
    Tensor x = gpt2.capture(tokens, point.capture()).get(point);
    for (int s = 0; s < 2; s++) {
      Sae sae = options.saes().get(s).sae();
      Tensor hat = sae.reconstruct(x);
      Tensor again = sae.reconstruct(hat);
      double norms = 0;
      double normalized = 0;
      for (int pos = 0; pos < 6; pos++) {
        double squares = 0;
        double centred = 0;
        double error = 0;
        for (int c = 0; c < 16; c++) {
          double mean = 0;
          for (int other = 0; other < 7; other++) {
            mean += hat.get(0, other, c) / 7.0;
          }
          squares += Math.pow(hat.get(0, pos, c), 2);
          centred += Math.pow(hat.get(0, pos, c) - mean, 2);
          error += Math.pow((double) again.get(0, pos, c) - hat.get(0, pos, c), 2);
        }
        norms += Math.sqrt(squares);
        normalized += error / Math.sqrt(centred) / 16;
      }
      assertEquals(norms, row[layout.index(ClozeLayout.SUMS, s, ClozeLayout.NORM)], 1e-6 * norms);
      assertEquals(
          normalized, row[layout.index(ClozeLayout.NORMALIZED_MSE, s)], 1e-4 * normalized + 1e-9);
      double once = sum(gpt2.crossEntropyNats(tokens, point.replace((clean, at) -> hat)));
      double twice = sum(gpt2.crossEntropyNats(tokens, point.replace((clean, at) -> again)));
      double clean = sum(gpt2.crossEntropyNats(tokens));
      assertEquals(twice - once, row[layout.index(ClozeLayout.DELTA_CE_SUM, s)], 1e-4);
      assertEquals(once - clean, usual[layout.index(ClozeLayout.DELTA_CE_SUM, s)], 1e-4);
      assertTrue(Math.abs(twice - 2 * once + clean) > 1e-2, "both must differ to be told apart");
      for (String same : List.of(ClozeLayout.DELTA_LN_P, ClozeLayout.SAE_CE_SUM)) {
        assertEquals(usual[layout.index(same, s)], row[layout.index(same, s)], 1e-9, same);
      }
    }
  }

  /** Returns the sum over predictions at positions 1 to n − 3 of a prompt of 7 tokens. */
  private static double sum(PositionValues nats) {
    return nats.get(0, 1) + nats.get(0, 2) + nats.get(0, 3) + nats.get(0, 4);
  }

  @Test
  void classesAddUp() {
    ClozeOptions options = options(TinySaes.both(), 9, 8, 7, 6, 5, 4, 9, 8, 7, 6);
    RowLayout layout = ClozeLayout.of(2);
    double[][] rows = new ClozeSweep(gpt2, options).compute(new RowRange(0, 10), done -> {});
    for (double[] row : rows) {
      for (int s = 0; s < 2; s++) {
        double[] n = new double[4];
        for (int c = 0; c < 4; c++) {
          n[c] = row[layout.index(ClozeLayout.CLASS, s, c)];
        }
        // T26, prompt by prompt
        assertEquals(1, n[0] + n[1] + n[2] + n[3]);
        assertEquals(row[layout.index(ClozeLayout.CORRECT)], n[0] + n[1]);
        assertEquals(row[layout.index(ClozeLayout.SAE_CORRECT, s)], n[0] + n[2]);
      }
    }
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    ClozeOptions options = options(TinySaes.both(), 5, 6, 7, 5, 6, 7, 5, 6, 7, 8, 9, 4);
    Path stopped = temporary.resolve("stopped");
    ClozeStudy study = new ClozeStudy(gpt2, options);
    assertThrows(
        StudyRuns.PulledPlug.class,
        () -> study.run(stopped, SmallModel.stoppingAfter(10), workers));
    study.run(stopped, Progress.none(), workers);
    Path whole = temporary.resolve("whole");
    new ClozeStudy(gpt2, options).run(whole, Progress.none(), workers);
    for (String file : List.of("results.csv", "prompts.csv", "findings.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve(file)), Files.readAllBytes(stopped.resolve(file)), file);
    }
    assertTrue(Files.exists(whole.resolve("figures/scatter-ce-1.svg")));
    assertTrue(Files.exists(whole.resolve("figures/lines-dlnp.png")));
  }

  @Test
  void aModelWithoutSaesIsATestOfTheModel() throws IOException {
    Path out = temporary.resolve("plain");
    new ClozeStudy(gpt2, options(List.of(), 5, 6)).run(out, Progress.none(), workers);
    assertEquals(2, Files.readAllLines(out.resolve("results.csv")).size());
    assertEquals(3, Files.readAllLines(out.resolve("prompts.csv")).size());
  }
}
