package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.testing.FakeHub;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/**
 * A disk that fills up in the middle of a file. The system's limit on the size of a file makes a
 * write fail just so, without a disk that a test would have to fill.
 */
@EnabledOnOs(OS.LINUX)
@ResourceLock(Resources.SYSTEM_PROPERTIES)
class FullDiskTest {
  @TempDir private Path folder;

  @BeforeEach
  void write() throws IOException {
    TinyModel.save(folder.resolve("model"), 1);
    int[][] rows = new int[12][20];
    for (int i = 0; i < rows.length * 20; i++) {
      rows[i / 20][i % 20] = i * 7 % TinyModel.TOKENS;
    }
    TokenBatch.of(rows).writeJson(folder.resolve("tokens.json"));
  }

  /** Runs a command that may write files of so many KiB at most; returns what it complains of. */
  private String limited(int kibibytes, String words, String... properties) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("bash", "-c", "ulimit -f " + kibibytes + "; exec \"$0\" \"$@\""));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(properties));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(words.split(" ")));
    Process process = new ProcessBuilder(command).directory(folder.toFile()).start();
    process.getInputStream().readAllBytes();
    List<String> lines =
        ProgressLines.without(
                new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
            .lines()
            .filter(line -> !line.startsWith("WARNING:"))
            .toList();
    assertEquals(ResidCommand.FAILED, process.waitFor(), lines.toString());
    assertEquals(1, lines.size(), lines.toString());
    return lines.getFirst();
  }

  @Test
  void aFileIsWrittenWholeOrNotAtAll() throws Exception {
    Map<String, String> before = FolderListing.of(folder);
    String words = "run --model model --tokens tokens.json --out out.safetensors";
    String sentence = limited(64, words);
    assertTrue(sentence.startsWith("resid: out.safetensors: could not be written"), sentence);
    assertEquals(before, FolderListing.of(folder));
  }

  @Test
  void aDownloadThatDidNotFitGoesOnWhenThereIsRoom() throws Exception {
    byte[] weights = Files.readAllBytes(folder.resolve("model/model.safetensors"));
    String home = folder.resolve("home").toString();
    try (FakeHub hub = new FakeHub()) {
      hub.putSmall("a/b", "config.json", Files.readAllBytes(folder.resolve("model/config.json")));
      hub.putLarge("a/b", "model.safetensors", weights);
      String endpoint = hub.endpoint().toString();
      String sentence =
          limited(20, "download -q a/b", "-DHF_HOME=" + home, "-DHF_ENDPOINT=" + endpoint);
      assertTrue(sentence.contains("model.safetensors could not be written"), sentence);
      hub.forgetRequests();
      System.setProperty("HF_HOME", home);
      System.setProperty("HF_ENDPOINT", endpoint);
      CliRun.line("info --model a/b").refused("'resid download a/b'");
      CliRun.line("download a/b").ok();
      CliRun.line("info --model a/b").ok();
      assertTrue(
          hub.requests().stream().anyMatch(request -> "bytes=20480-".equals(request.range())),
          hub.requests().toString());
    } finally {
      System.clearProperty("HF_HOME");
      System.clearProperty("HF_ENDPOINT");
    }
  }

  @Test
  void aRunThatCouldNotGoOnIsFinishedByTheSameCommand() throws Exception {
    String words =
        "sensitivity --quiet --threads 1 --directions isotropic --lengths 0.1,1,10"
            + " --model model --tokens tokens.json --out ";
    // The pool of activations is the first file to be too large, then, as if the disk had been
    // tidied up a little, the state beside it or the log of blocks.
    for (int kibibytes : new int[] {8, 20}) {
      String sentence = limited(kibibytes, words + "out");
      assertTrue(sentence.startsWith("resid: out/"), sentence);
      assertTrue(sentence.contains(": could not be written"), sentence);
    }
    Path out = folder.resolve("out");
    assertFalse(Files.exists(out.resolve("report.html")));
    for (String name : List.of("out", "whole")) {
      CliRun.line(
              words
                  .replace(" model ", " " + folder.resolve("model") + " ")
                  .replace("tokens.json --out ", folder.resolve("tokens.json") + " --out"),
              folder.resolve(name))
          .ok();
    }
    for (String name : List.of("results.csv", "report.html")) {
      assertArrayEquals(
          Files.readAllBytes(folder.resolve("whole").resolve(name)),
          Files.readAllBytes(out.resolve(name)),
          name);
    }
  }
}
