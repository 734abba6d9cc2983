package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.dictionary.DictionaryOptions;
import dev.resid.experiments.dictionary.DictionaryStudy;
import dev.resid.experiments.direction.NamedSae;
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
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.saereport.SaeEvaluationOptions;
import dev.resid.experiments.saereport.SaeEvaluationStudy;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.study.Study;
import dev.resid.experiments.sweep.Shard;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.StudyRuns;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parts of runs on a small model, put together by the command line. */
class MergeCommandTest {
  private static final int PARTS = 2;

  /** More than two blocks of eight, so that each part has one. */
  private static final int PROMPTS = 17;

  @TempDir private Path temporary;

  private Backend backend;
  private Workers workers;
  private Gpt2 gpt2;

  @BeforeEach
  void open() {
    backend = TinyModel.backend(1);
    workers = new Workers(2);
    gpt2 = TinyModel.on(backend);
  }

  @AfterEach
  void close() {
    workers.close();
    backend.close();
  }

  @Test
  void anUnreadableFileOfAPartIsNamed() throws IOException {
    List<Path> parts = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) {
      parts.add(temporary.resolve("part" + i));
      study("patch").runPart(parts.getLast(), new Shard(i, PARTS), Progress.none(), workers);
    }
    Path log = RunFolder.work(parts.getFirst(), RowStudy.LOG);
    byte[] sound = Files.readAllBytes(log);
    for (Unreadable way : Unreadable.here()) {
      way.make(log);
      CliRun.line("merge", temporary.resolve("out"), parts.get(0), parts.get(1))
          .refused(parts.getFirst().toString());
      Files.delete(log);
      Files.write(log, sound);
    }
  }

  @Test
  void aPartWithDamagedFactsIsNamed() throws IOException {
    List<Path> parts = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) {
      parts.add(temporary.resolve("part" + i));
      study("patch").runPart(parts.getLast(), new Shard(i, PARTS), Progress.none(), workers);
    }
    Path file = parts.get(0).resolve(RunRecord.FILE);
    String sound = Files.readString(file);
    Files.writeString(file, sound.replace("\"parameters\"", "\"0arameters\""));
    CliRun.line("merge", temporary.resolve("out"), parts.get(0), parts.get(1))
        .refused(file + ": is damaged", "checksum");
    // Facts that somebody wrote so, with the checksum that belongs to them.
    Files.writeString(file, sound);
    RunRecord first = RunRecord.read(parts.get(0));
    RunRecord second = RunRecord.read(parts.get(1));
    for (String other : List.of("\"0arameters\"", "\"parameters\":1,\"old\"")) {
      withParameters(first, other).write(parts.get(0));
      CliRun.line("merge", temporary.resolve("out"), parts.get(0), parts.get(1))
          .refused(parts.get(0).toString(), "the model's parameters", "damaged");
    }
    withParameters(first, "\"0arameters\"").write(parts.get(0));
    withParameters(second, "\"0arameters\"").write(parts.get(1));
    CliRun.line("merge", temporary.resolve("out"), parts.get(0), parts.get(1))
        .refused(file + ": there is no setting \"parameters\"");
  }

  private static RunRecord withParameters(RunRecord record, String other) {
    String facts = record.facts().toString();
    assertTrue(facts.contains("\"parameters\""), facts);
    return new RunRecord(
        record.command(),
        record.settings(),
        Settings.parse(facts.replace("\"parameters\"", other)),
        record.shard(),
        record.build(),
        record.started(),
        record.finished(),
        record.computingSeconds());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"patch", "dictionary", "context", "propagation", "lambada", "cbt", "features"})
  void partsMakeTheBytesOfAWholeRun(String name) throws IOException {
    Path whole = temporary.resolve("whole");
    study(name).run(whole, Progress.none(), workers);
    List<Path> parts = new ArrayList<>();
    for (int i = PARTS - 1; i >= 0; i--) {
      parts.add(temporary.resolve("part" + i));
      study(name).runPart(parts.getLast(), new Shard(i, PARTS), Progress.none(), workers);
      assertFalse(Files.exists(parts.getLast().resolve("report.html")));
    }
    Path merged = temporary.resolve("merged");
    CliRun run = CliRun.line("merge", merged, parts.get(0), parts.get(1)).ok();
    assertTrue(run.out().endsWith("Report: " + merged.resolve("report.html") + "\n"), run.out());
    assertEquals(List.of(), StudyRuns.differences(whole, merged));
    assertTrue(RunRecord.read(merged).finished().isPresent());
  }

  private Study study(String name) {
    List<NamedSae> saes = TinySaes.both();
    TokenBatch rows = TinyModel.tokens(6, 6, 6, 6, 6);
    List<NamedSae> two = List.of(saes.getFirst(), TinySaes.at(HookPoint.residPre(2)));
    return switch (name) {
      case "patch" -> new PatchStudy(gpt2, new PatchOptions(pairs(), "test", 3, 4));
      case "dictionary" ->
          new DictionaryStudy(gpt2, DictionaryOptions.of(rows.slice(0, 2), "test", saes));
      case "context" -> new ContextStudy(gpt2, new ContextOptions(rows, saes, "test", 3));
      case "propagation" -> new PropagationStudy(gpt2, new ContextOptions(rows, two, "test", 3));
      case "lambada" -> new ClozeStudy(gpt2, cloze(ClozeTask.LAMBADA, saes));
      case "cbt" -> new ClozeStudy(gpt2, cloze(ClozeTask.CBT, List.of()));
      case "features" ->
          new FeatureEffectStudy(gpt2, new FeatureEffectOptions(cloze(ClozeTask.LAMBADA, saes), 2));
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static List<TokenPair> pairs() {
    TokenBatch rows = TinyModel.tokens(4, 4);
    int[] other = rows.row(0);
    other[2] = (other[2] + 1) % 50;
    return List.of(
        new TokenPair(rows.slice(0, 1), TokenBatch.of(other), 3, 4),
        new TokenPair(rows.slice(1, 2), TokenBatch.of(other), 5, 6));
  }

  private static ClozeOptions cloze(ClozeTask task, List<NamedSae> saes) {
    List<ClozePrompt> prompts =
        IntStream.range(0, PROMPTS)
            .mapToObj(i -> new ClozePrompt(TinyModel.tokens(5), i, "text \"" + i + "\"", i % 2))
            .toList();
    return new ClozeOptions(task, prompts, saes, "test", 3);
  }

  @Test
  void partsOfAnEvaluationMakeTheBytesOfTheWhole() throws IOException {
    SaeEvaluationStudy study =
        new SaeEvaluationStudy(
            gpt2,
            TinySaes.both().getFirst(),
            new SaeEvaluationOptions(
                TinyModel.tokens(IntStream.generate(() -> 4).limit(20).toArray()), "test", 0));
    Path whole = temporary.resolve("whole");
    study.run(whole, Progress.none(), workers);
    Path first = temporary.resolve("first");
    study.runPart(first, new Shard(0, 2), Progress.none(), workers);
    Path merged = temporary.resolve("merged");
    CliRun.line("merge", merged, first).refused("1 of 3 blocks are missing (1)", "all shards");
    Path second = temporary.resolve("second");
    study.runPart(second, new Shard(1, 2), Progress.none(), workers);
    CliRun.line("merge", merged, second, first).ok();
    assertEquals(List.of(), StudyRuns.differences(whole, merged));
  }

  @Test
  void aPartThatStoppedBeforeItsNotesIsNamed() throws IOException {
    List<Path> parts = List.of(temporary.resolve("a"), temporary.resolve("b"));
    for (int i = 0; i < PARTS; i++) {
      study("context").runPart(parts.get(i), new Shard(i, PARTS), Progress.none(), workers);
    }
    Path notes = parts.getFirst().resolve("blocks/notes.json");
    Files.writeString(notes, "{");
    Path merged = temporary.resolve("merged");
    CliRun.line("merge", merged, parts.get(0), parts.get(1)).refused("notes.json", "is damaged");
    Files.delete(notes);
    CliRun.line("merge", merged, parts.get(0), parts.get(1))
        .refused("run 'resid language context' with --shard 0/N once more");
    assertFalse(Files.exists(merged));
  }

  @Test
  void aPartIsNamedAfterItsNumber() {
    CliRun.line("patch --shard 2/2").wrongUsage("shard 2/2 does not exist");
    CliRun.line("language cbt --shard x").wrongUsage("\"x\" is no shard");
  }
}
