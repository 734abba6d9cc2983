package dev.resid.experiments.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.reproduce.ReproduceOutcome;
import dev.resid.experiments.study.SmallModel;
import dev.resid.experiments.study.StudyOutcome;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples of {@code docs/experiments.md} compile, run and stand there as they are here. */
class StudyExamplesTest {
  @Test
  void thePatchMatters() throws IOException {
    try (Backend backend = SmallModel.backend()) {
      double[][] patched = PatchExample.run(backend);
      assertEquals(6, patched.length);
      assertTrue(patched[5][0] > patched[1][0] + 1, patched[5][0] + " " + patched[1][0]);
    }
  }

  @Test
  void fourPassagesMakeAReport(@TempDir Path folder) throws IOException {
    try (Backend backend = SmallModel.backend()) {
      assertTrue(Files.exists(ClozeExample.run(backend, folder.resolve("out")).report()));
    }
  }

  @Test
  void aSentenceIsMovedAlongAnError() throws IOException {
    try (Backend backend = SmallModel.backend()) {
      List<String> lines = SensitivityExample.run(backend);
      assertEquals(3, lines.size());
      assertTrue(lines.get(0).startsWith("1: KL 0.0"), lines.get(0));
    }
  }

  @Test
  void aSentenceIsReplacedByItsReconstruction(@TempDir Path folder) throws IOException {
    try (Backend backend = SmallModel.backend()) {
      Path report = SubstitutionExample.run(backend, folder.resolve("out")).report();
      assertTrue(Files.exists(report));
    }
  }

  @Test
  void turnedActivationsMatter(@TempDir Path folder) throws IOException {
    try (Backend backend = SmallModel.backend()) {
      StudyOutcome outcome = RobustnessExample.run(backend, folder.resolve("turned"));
      assertTrue(Files.exists(outcome.report()));
      List<String> lines = Files.readAllLines(outcome.folder().resolve("results.csv"));
      assertEquals(3, lines.size());
      double near = Double.parseDouble(lines.get(1).split(",")[4]);
      double far = Double.parseDouble(lines.get(2).split(",")[4]);
      assertTrue(0.01 < near && near < far, near + " " + far);
    }
  }

  @Test
  void twoDictionariesAreCompared(@TempDir Path folder) throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      List<NamedSae> saes = TinySaes.both();
      StudyOutcome outcome =
          DictionaryExample.run(
              TinyModel.on(backend),
              TinyModel.tokens(5, 4),
              saes.getFirst(),
              saes.getLast(),
              folder.resolve("out"));
      List<String> lines = Files.readAllLines(outcome.folder().resolve("cosines.csv"));
      assertEquals(5, lines.size(), "both ways, and each within itself");
      assertEquals(1, Files.readAllLines(outcome.folder().resolve("one-to-one.csv")).size());
    }
  }

  @Test
  void positionsAndLaterSaesAreMeasured(@TempDir Path folder) throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      NamedSae sae = TinySaes.both().getLast();
      StudyOutcome context =
          ContextExample.run(
              TinyModel.on(backend), TinyModel.tokens(6, 6), sae, folder.resolve("context"));
      assertEquals(1 + 2, Files.readAllLines(context.folder().resolve("ranges.csv")).size());
      NamedSae later = TinySaes.at(HookPoint.residPre(2));
      StudyOutcome propagation =
          PropagationExample.run(
              TinyModel.on(backend), TinyModel.tokens(6, 6), sae, later, folder.resolve("later"));
      // One pair, three quantities.
      assertEquals(1 + 3, Files.readAllLines(propagation.folder().resolve("results.csv")).size());
    }
  }

  @Test
  void featuresHaveEffects(@TempDir Path folder) throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      List<ClozePrompt> prompts =
          List.of(
              new ClozePrompt(TinyModel.tokens(6), 3, "first", 0),
              new ClozePrompt(TinyModel.tokens(5), 4, "second", 0));
      ClozeOptions options =
          new ClozeOptions(
              ClozeTask.LAMBADA, prompts, List.of(TinySaes.both().getLast()), "two prompts", 1);
      StudyOutcome outcome =
          FeatureEffectExample.run(TinyModel.on(backend), options, folder.resolve("features"));
      assertTrue(Files.readString(outcome.report()).contains("mean effect"));
    }
  }

  @Test
  void aTableOfPublishedNumbersIsChecked(@TempDir Path folder) throws IOException {
    String numbers =
        """
        fact\tlayers\t6
        fact\twidth\t192
        number\tnobody\tnorm\tbos\t-\tclean\tpoint=blocks.3.hook_resid_pre;from=1;to=1\tnorm\t59.2\
        \trounding\t0\t0\t-
        """;
    try (Backend backend = SmallModel.backend()) {
      ReproduceOutcome outcome = ReproduceExample.run(backend, numbers, folder.resolve("out"));
      assertEquals(1, outcome.count(Verdict.HOLDS), outcome.checks().toString());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PatchExample",
        "ClozeExample",
        "SensitivityExample",
        "SubstitutionExample",
        "RobustnessExample",
        "DictionaryExample",
        "ReproduceExample",
        "ContextExample",
        "PropagationExample",
        "FeatureEffectExample"
      })
  void theDocumentShowsTheSameLines(String name) throws IOException {
    Path root = root();
    List<String> source =
        Files.readAllLines(
            root.resolve(
                "experiments/src/test/java/dev/resid/experiments/examples/" + name + ".java"));
    int begin = source.indexOf("    // docs:begin") + 1;
    int end = source.indexOf("    // docs:end");
    String expected =
        source.subList(begin, end).stream()
            .map(line -> line.isBlank() ? "" : line.substring(4))
            .collect(Collectors.joining("\n", "```java\n", "\n```"));
    String document = Files.readString(root.resolve("docs/experiments.md"));
    assertTrue(document.contains(expected), "docs/experiments.md has no\n" + expected);
  }

  private static Path root() {
    Path dir = Path.of("").toAbsolutePath();
    while (!Files.isRegularFile(dir.resolve("docs/experiments.md"))) {
      dir = dir.getParent();
    }
    return dir;
  }
}
