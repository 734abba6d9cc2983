package dev.resid.experiments.patch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.analysis.LogitReadout;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.hook.HookPoint;
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
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PatchStudyTest {
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

  /** Returns pairs that differ at one position. */
  private static List<TokenPair> pairs(int... lengths) {
    List<TokenPair> pairs = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      int[] clean = SmallModel.row(lengths[i], i);
      int[] corrupted = clean.clone();
      corrupted[2] = (clean[2] + 7) % SmallModel.CONFIG.dVocab();
      pairs.add(new TokenPair(TokenBatch.of(clean), TokenBatch.of(corrupted), 3 + i, 20 + i));
    }
    return pairs;
  }

  private StudyOutcome run(String folder, List<TokenPair> pairs, int atOnce) throws IOException {
    return new PatchStudy(gpt2, new PatchOptions(pairs, "test", 5, atOnce))
        .run(temporary.resolve(folder), Progress.none(), workers);
  }

  @Test
  void tablesHaveWhatRunsWithHooksGive() throws IOException {
    List<TokenPair> pairs = pairs(6, 6);
    StudyOutcome outcome = run("out", pairs, 4);
    List<String> lines = Files.readAllLines(outcome.folder().resolve("patches.csv"));
    assertEquals(1 + 2 * 3 * 6 * (3 + 2), lines.size());
    int checked = 0;
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      TokenPair pair = pairs.get(Integer.parseInt(cells[0]));
      int pos = Integer.parseInt(cells[3]);
      int head = Integer.parseInt(cells[5]);
      if (pos % 3 != 2) {
        continue;
      }
      HookPoint point = HookPoint.parse("blocks." + cells[2] + "." + cells[1]);
      Tensor donor = gpt2.capture(pair.clean(), point.capture()).get(point);
      LogitReadout readout =
          LogitReadout.differences(gpt2, new int[] {pair.answer()}, new int[] {pair.against()});
      double patched =
          readout
              .of(
                  gpt2,
                  pair.corrupted(),
                  point.replace((x, at) -> x.with(Axis.POS, pos, part(x, donor, pos, head))))[0];
      double change = patched - readout.of(gpt2, pair.corrupted())[0];
      // A continuation rounds as a run with hooks does; only the difference is taken in float64.
      assertEquals(change, Double.parseDouble(cells[6]), 1e-6 * (1 + Math.abs(change)), line);
      checked++;
    }
    assertEquals(2 * 3 * 2 * (3 + 2), checked);
    checksOfTheMachineryHold(outcome.findings());
  }

  private static void checksOfTheMachineryHold(List<Finding> findings) {
    assertEquals(10, findings.size());
    List<Finding> checks =
        findings.stream().filter(f -> f.detail().contains("check of the machinery")).toList();
    assertEquals(2, checks.size());
    checks.forEach(check -> assertEquals(Verdict.HOLDS, check.verdict(), check.toString()));
  }

  private static Tensor part(Tensor x, Tensor donor, int pos, int head) {
    Tensor there = donor.at(Axis.POS, pos);
    return head < 0 ? there : x.at(Axis.POS, pos).with(Axis.HEAD, head, there.at(Axis.HEAD, head));
  }

  @Test
  void promptsOfDifferentLengthsHaveNoMeans() throws IOException {
    StudyOutcome outcome = run("out", pairs(4, 5), 4);
    assertTrue(Files.exists(outcome.folder().resolve("patches.csv")));
    assertTrue(Files.notExists(outcome.folder().resolve("means.csv")));
    assertTrue(Files.exists(outcome.folder().resolve("figures/patching-exact-1.svg")));
  }

  @Test
  void patchesAtOnceChangeNothing() throws IOException {
    List<TokenPair> pairs = pairs(5);
    Path one = run("one", pairs, 1).folder();
    Path many = run("many", pairs, 50).folder();
    for (String file : List.of("patches.csv", "findings.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(one.resolve(file)), Files.readAllBytes(many.resolve(file)), file);
    }
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes() throws IOException {
    PatchOptions options = new PatchOptions(pairs(5, 5), "test", 5, 4);
    Path stopped = temporary.resolve("stopped");
    PatchStudy study = new PatchStudy(gpt2, options);
    assertThrows(
        StudyRuns.PulledPlug.class,
        () -> study.run(stopped, SmallModel.stoppingAfter(40), workers));
    assertTrue(Files.notExists(stopped.resolve("report.html")));
    study.run(stopped, Progress.none(), workers);
    StudyOutcome whole = run("whole", options.pairs(), 4);
    for (String file : List.of("patches.csv", "means.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(whole.folder().resolve(file)),
          Files.readAllBytes(stopped.resolve(file)),
          file);
    }
  }

  @Test
  void pairsThatCannotBeComparedAreRefused() {
    TokenBatch three = TokenBatch.of(new int[] {0, 1, 2});
    TokenBatch two = TokenBatch.of(new int[] {0, 1});
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> new TokenPair(three, two, 1, 2))
            .getMessage()
            .startsWith("the clean prompt has 3 tokens, the corrupted one 2"));
    TokenBatch other = TokenBatch.of(new int[] {0, 1, 3});
    assertThrows(IllegalArgumentException.class, () -> new TokenPair(three, other, 4, 4));
    assertThrows(IllegalArgumentException.class, () -> new TokenPair(three, three, 4, 5));
  }

  @Test
  void builtInPairsFitTheEmbeddedModel() throws IOException {
    Gpt2 embedded = Gpt2.embedded(backend);
    for (PromptPair pair : PromptPair.builtIn()) {
      TokenPair tokens = TokenPair.of(pair, embedded.tokenizer(), embedded.config().bosToken());
      assertEquals(6, tokens.length(), pair.clean());
      assertArrayEquals(new int[] {1}, tokens.differences(), pair.clean());
    }
  }

  @Test
  void filesOfPairsAreReadStrictly() throws IOException {
    Path file = temporary.resolve("pairs.jsonl");
    PromptPair.write(file, PromptPair.builtIn());
    assertEquals(PromptPair.builtIn(), PromptPair.read(file));
    for (String bad : List.of("{", "[]", "{\"clean\": \"a\"}", "{\"clean\": 1}", "null", "\"")) {
      Files.writeString(file, "\n" + bad + "\n");
      String message = assertThrows(IOException.class, () -> PromptPair.read(file)).getMessage();
      assertTrue(message.startsWith(file + ", line 2 "), message);
    }
    Files.writeString(file, "\n\n");
    assertEquals(
        file + " has no pair of prompts",
        assertThrows(IOException.class, () -> PromptPair.read(file)).getMessage());
  }
}
