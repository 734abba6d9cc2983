package dev.resid.experiments.cli;

import dev.resid.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The required option {@code --out} of commands that write one file. */
final class OutputMixin {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "File to write; replaced if it exists.")
  private Path file;

  /** Called by picocli. */
  OutputMixin() {}

  /**
   * Refuses a file that cannot be written. For the start of a command, so that nothing is computed
   * in vain.
   *
   * @throws IOException if the file cannot be written
   */
  void require() throws IOException {
    OutputPaths.requireFile(file);
  }

  /**
   * Writes the file.
   *
   * @throws IOException if it cannot be written; it is then as before
   */
  void write(SafetensorsWriter writer) throws IOException {
    writer.write(file);
  }
}
