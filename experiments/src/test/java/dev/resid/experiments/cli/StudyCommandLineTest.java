package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.study.RowRunner;
import dev.resid.experiments.study.RowStudy;
import dev.resid.experiments.sweep.Workers;
import dev.resid.progress.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyCommandLineTest {
  @TempDir private Path folder;

  @Test
  void filesGoElsewhereByTheirAbsolutePathsAndNamesAsTheyAre() throws IOException {
    Path text = Files.writeString(folder.resolve("a text"), "x");
    Path sae = Files.createDirectories(folder.resolve("sae"));
    Path here = Path.of("").toAbsolutePath();
    assertEquals(
        List.of(
            "sensitivity",
            "--text",
            text.toAbsolutePath().toString(),
            "--model",
            "openai-community/gpt2",
            "--sae",
            "local=" + sae.toAbsolutePath(),
            "--sae",
            "embedded:e2e-3",
            "--lengths",
            "1,5",
            "--threads",
            "3",
            "--quiet"),
        StudyCommandLine.elsewhere(
            "sensitivity",
            "--text=" + here.relativize(text.toAbsolutePath()),
            "-q",
            "--model",
            "openai-community/gpt2",
            "--sae",
            "local=" + here.relativize(sae.toAbsolutePath()),
            "--out",
            "somewhere",
            "--sae",
            "embedded:e2e-3",
            "--lengths=1,5",
            "--threads",
            "3"));
  }

  @Test
  void aProcessGetsItsOwnFolderAndAsManyThreadsAsItHas() {
    assertEquals(
        List.of("patch", "--quiet", "--out", "x", "--threads", "4"),
        StudyCommandLine.in(List.of("patch", "--quiet"), Path.of("x"), 4));
    assertEquals(
        List.of("patch", "--quiet", "--out", "x"),
        StudyCommandLine.in(List.of("patch", "--quiet"), Path.of("x"), 0));
    assertEquals(
        List.of("patch", "--threads", "2", "--out", "x"),
        StudyCommandLine.in(List.of("patch", "--threads", "2"), Path.of("x"), 4));
  }

  @Test
  void onlyStudiesRunElsewhereAndTheirBlocksAreNotSplitTwice() {
    assertRefused("generate", "--prompt", "x");
    assertRefused("sensitivity", "--shard", "0/2");
    assertRefused("sensitivity", "--devices", "0,1");
    assertRefused("language", "nonsense");
    assertRefused();
  }

  @Test
  void whatAStudyIsMadeOfIsHandedToTheRunner() {
    List<Path> folders = new ArrayList<>();
    RowRunner runner =
        new RowRunner() {
          @Override
          public <T> Optional<T> run(
              RowStudy<T> rows, Path out, Progress progress, Workers workers) {
            folders.add(out);
            return Optional.empty();
          }
        };
    Path out = folder.resolve("out");
    Result patch = run(runner, "patch", "--quiet", "--out", out.toString());
    assertEquals(0, patch.code(), patch.err());
    Result sae = run(runner, "sae", "evaluate", "--sae", "embedded:none", "--out", out.toString());
    assertEquals(1, sae.code());
    assertEquals(List.of(out), folders);
    assertTrue(Files.notExists(out), "nothing was computed");
  }

  private void assertRefused(String... args) {
    Result result = run(RowRunner.here(), args);
    assertEquals(2, result.code(), result.err());
    assertTrue(result.err().startsWith("resid: "), result.err());
  }

  private record Result(int code, String err) {}

  private static Result run(RowRunner runner, String... args) {
    StringWriter err = new StringWriter();
    int code =
        StudyCommandLine.execute(
            "elsewhere", new PrintWriter(new StringWriter()), new PrintWriter(err), runner, args);
    return new Result(code, err.toString());
  }
}
