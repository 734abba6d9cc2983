package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class BenchCommandTest {
  @TempDir Path root;

  @Test
  void optionsBecomeArgumentsOfTheTable() {
    BenchCommand command = new BenchCommand();
    new CommandLine(command)
        .parseArgs("--only", "product,sae", "--quick", "--threads", "3", "--out", "there");
    assertEquals(
        List.of("only=product,sae", "repetitions=3", "threads=3", "out=there"),
        command.arguments());
  }

  @Test
  void anImpossibleNumberOfThreadsIsASentence() {
    StringWriter err = new StringWriter();
    int code =
        ResidCommand.execute(
            new PrintWriter(new StringWriter()), new PrintWriter(err), "bench", "--threads", "0");
    assertEquals(1, code);
    assertTrue(err.toString().contains("--threads is 0, must be at least 1."), err.toString());
  }

  @Test
  void unbuiltBenchmarksAreAnErrorThatNamesTheCommand() {
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> BenchCommand.classPath(root));
    assertTrue(e.getMessage().contains("are not built: run 'mvn"), e.getMessage());
  }

  @Test
  void benchmarksOlderThanASourceAreRefused() throws IOException {
    Path jar = jar();
    Path source = root.resolve("core/src/main/java/Kernel.java");
    Files.createDirectories(source.getParent());
    Files.writeString(source, "class Kernel {}");
    Files.setLastModifiedTime(jar, FileTime.fromMillis(1000));
    Files.setLastModifiedTime(source, FileTime.fromMillis(2000));
    IllegalStateException e =
        assertThrows(IllegalStateException.class, () -> BenchCommand.classPath(root));
    assertTrue(e.getMessage().contains("older than core"), e.getMessage());
  }

  @Test
  void builtPeersJoinTheClassPath() throws IOException {
    Path jar = jar();
    assertEquals(jar.toString(), BenchCommand.classPath(root));
    Path peers = Files.createDirectories(root.resolve("peers/target/lib"));
    assertEquals(
        jar + File.pathSeparator + peers + File.separator + "*", BenchCommand.classPath(root));
  }

  private Path jar() throws IOException {
    Path jar = root.resolve("benchmarks/target/benchmarks.jar");
    Files.createDirectories(jar.getParent());
    return Files.writeString(jar, "");
  }
}
