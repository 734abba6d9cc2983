package dev.resid.experiments.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.dictionary.DictionaryOptions.Part;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.SweptDirection;
import dev.resid.experiments.feature.FeatureOptions;
import dev.resid.experiments.feature.FeatureStudy;
import dev.resid.experiments.language.ClozeOptions;
import dev.resid.experiments.language.ClozePrompt;
import dev.resid.experiments.language.ClozeStudy;
import dev.resid.experiments.language.ClozeTask;
import dev.resid.experiments.language.ContextOptions;
import dev.resid.experiments.language.ContextStudy;
import dev.resid.experiments.language.FeatureEffectOptions;
import dev.resid.experiments.language.FeatureEffectStudy;
import dev.resid.experiments.language.PropagationStudy;
import dev.resid.experiments.patch.PatchOptions;
import dev.resid.experiments.patch.PatchStudy;
import dev.resid.experiments.patch.TokenPair;
import dev.resid.experiments.plateau.PlateauOptions;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.plateau.Regime;
import dev.resid.experiments.plateau.Scale;
import dev.resid.experiments.plateau.TargetKind;
import dev.resid.experiments.reproduce.GivenSaes;
import dev.resid.experiments.reproduce.PublishedTable;
import dev.resid.experiments.reproduce.ReproduceOptions;
import dev.resid.experiments.reproduce.ReproduceStudy;
import dev.resid.experiments.robustness.RobustnessOptions;
import dev.resid.experiments.robustness.RobustnessStudy;
import dev.resid.experiments.saereport.SaeEvaluationOptions;
import dev.resid.experiments.saereport.SaeEvaluationStudy;
import dev.resid.experiments.sensitivity.Lengths;
import dev.resid.experiments.sensitivity.SensitivityOptions;
import dev.resid.experiments.sensitivity.SensitivityStudy;
import dev.resid.experiments.substitution.SubstitutionOptions;
import dev.resid.experiments.substitution.SubstitutionStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.model.WeightsState;
import dev.resid.progress.Progress;
import dev.resid.sae.io.SaeCatalogue;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The reports of all studies, of a tiny model: each in a real browser on a phone in the dark, and
 * their figures in the documents.
 */
class BrowserStudiesTest {
  private static final Progress SILENT = Progress.none();

  private static final Pattern NAMED = Pattern.compile("`([a-z0-9-]+)(<[^`]*)?`");

  @TempDir private static Path folder;
  private static List<NamedSae> saes;
  private static TokenBatch rows;

  @BeforeAll
  static void runEveryStudy() throws IOException {
    saes = TinySaes.both();
    rows = TinyModel.tokens(6, 6);
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      directions(gpt2, workers);
      language(gpt2, workers);
      features(gpt2, workers);
      reproduce(gpt2, workers);
    }
  }

  /**
   * Returns files; parts of a reproduction are left out, which are studies that are here anyway.
   */
  private static List<Path> files(String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(ending) && !file.toString().contains("parts"))
          .toList();
    }
  }

  @Test
  void everyKindOfReportWorksInABrowser(@TempDir Path profile) throws IOException {
    Optional<Path> program = Chromium.find();
    assumeTrue(
        program.isPresent(),
        "no Chromium or Chrome on the path, and the environment variable CHROME names none");
    List<Path> reports = files(".html");
    assertEquals(14, reports.size(), reports.toString());
    try (Chromium browser = Chromium.start(program.get(), profile)) {
      List<String> wrong = new ArrayList<>();
      for (Path report : reports) {
        wrong.addAll(ReportAudit.of(browser, report, 390, "dark").wrong());
      }
      assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    }
  }

  @Test
  void theDocumentsNameEveryFigure() throws IOException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.isRegularFile(root.resolve("docs/experiments.md"))) {
      root = root.getParent();
    }
    String text =
        Files.readString(root.resolve("docs/experiments.md"))
            + Files.readString(root.resolve("docs/sae.md"));
    List<Pattern> named =
        NAMED
            .matcher(text)
            .results()
            // One of several SAEs, pairs or groups of SAEs has a number at its end.
            .map(m -> m.group(1) + (m.group(2) == null ? "(-(group-)?[0-9]+)?" : ".*"))
            .map(Pattern::compile)
            .toList();
    List<Path> figures = files(".svg");
    assertTrue(figures.size() > 100, figures.size() + " figures");
    List<String> unnamed =
        figures.stream()
            .map(file -> file.getFileName().toString().replace(".svg", ""))
            .filter(name -> named.stream().noneMatch(p -> p.matcher(name).matches()))
            .toList();
    assertEquals(List.of(), unnamed);
  }

  private static void directions(Gpt2 gpt2, Workers workers) throws IOException {
    new SensitivityStudy(
            gpt2,
            new SensitivityOptions(
                rows,
                "test",
                1,
                new Lengths.Given(1, 2),
                Stream.of("isotropic", "cov-random-mixture", "sae-error:few")
                    .map(SweptDirection::of)
                    .toList(),
                saes,
                1,
                8,
                SensitivityOptions.DEFAULT_RIDGE,
                0))
        .run(folder.resolve("sensitivity"), SILENT, workers);
    new SubstitutionStudy(gpt2, SubstitutionOptions.of(rows, "test", saes))
        .run(folder.resolve("substitution"), SILENT, workers);
    new RobustnessStudy(
            gpt2,
            new RobustnessOptions(
                rows,
                "test",
                List.of(HookPoint.mlpOut(0), HookPoint.residPre(1)),
                List.of(0.9, 0.0),
                List.of(0.9),
                saes,
                1,
                0))
        .run(folder.resolve("robustness"), SILENT, workers);
    new PlateauStudy(
            gpt2,
            new PlateauOptions(
                TinyModel.tokens(4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4),
                "test",
                1,
                3,
                List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM),
                List.of(TargetKind.MODEL_GENERATED),
                PlateauOptions.RealBase.OWN,
                Optional.of(new PlateauSae(saes.getLast(), Optional.empty())),
                List.of(Regime.RELATIVE),
                Scale.of(Scale.Rule.SCALED),
                1,
                0))
        .run(folder.resolve("plateau"), SILENT, workers);
    int[] clean = TinyModel.tokens(5).row(0);
    int[] corrupted = clean.clone();
    corrupted[2] = (clean[2] + 7) % TinyModel.CONFIG.dVocab();
    TokenPair pair = new TokenPair(TokenBatch.of(clean), TokenBatch.of(corrupted), 3, 20);
    new PatchStudy(gpt2, new PatchOptions(List.of(pair), "test", 1, 8))
        .run(folder.resolve("patch"), SILENT, workers);
  }

  private static void language(Gpt2 gpt2, Workers workers) throws IOException {
    new ContextStudy(gpt2, new ContextOptions(rows, saes, "test", 1))
        .run(folder.resolve("context"), SILENT, workers);
    List<NamedSae> two = List.of(saes.getLast(), TinySaes.at(HookPoint.residPre(2)));
    new PropagationStudy(gpt2, new ContextOptions(rows, two, "test", 1))
        .run(folder.resolve("propagation"), SILENT, workers);
    List<ClozePrompt> prompts =
        IntStream.range(0, 4)
            .mapToObj(i -> new ClozePrompt(TinyModel.tokens(5 + i), i, "text " + i, 0))
            .toList();
    for (ClozeTask task : ClozeTask.values()) {
      new ClozeStudy(gpt2, new ClozeOptions(task, prompts, saes, "test", 1))
          .run(folder.resolve("cloze-" + task), SILENT, workers);
    }
    ClozeOptions options = new ClozeOptions(ClozeTask.LAMBADA, prompts, saes, "test", 1);
    new FeatureEffectStudy(gpt2, new FeatureEffectOptions(options, 4))
        .run(folder.resolve("effects"), SILENT, workers);
  }

  private static void features(Gpt2 gpt2, Workers workers) throws IOException {
    TokenBatch many = TinyModel.tokens(12, 12, 12);
    new DictionaryStudy(
            gpt2,
            new DictionaryOptions(
                many, "test", saes, EnumSet.allOf(Part.class), 1, 1, Atoms.ALL, 50, 1))
        .run(folder.resolve("dictionary"), SILENT, workers);
    new SaeEvaluationStudy(gpt2, saes.getLast(), new SaeEvaluationOptions(rows, "test", 0))
        .run(folder.resolve("evaluation"), SILENT, workers);
    new FeatureStudy(gpt2, saes.getLast().sae(), "many", new FeatureOptions(3, many, "test", 3, 1))
        .write(folder.resolve("feature.html"), SILENT);
  }

  private static void reproduce(Gpt2 gpt2, Workers workers) throws IOException {
    PublishedTable table =
        PublishedTable.parse(
            """
            fact\tlayers\t3
            fact\twidth\t16
            number\tnobody\tnorm\tbos\t-\tclean\tpoint=blocks.1.hook_resid_pre;from=1;to=1\tnorm\t59.2\
            \trounding\t0\t0\t-
            """,
            "test");
    GivenSaes given = new GivenSaes(table, new SaeCatalogue(List.of()), WeightsState.RAW);
    new ReproduceStudy(
            gpt2,
            new ReproduceOptions(
                table,
                given.all(),
                ReproduceOptions.Files.none(),
                List.of(dev.resid.experiments.reproduce.Part.BOS),
                2,
                2,
                0))
        .run(folder.resolve("reproduce"), SILENT, workers);
  }
}
