package dev.resid.experiments.cli;

import dev.resid.model.Gpt2Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The option {@code --model}. */
final class ModelFolderMixin {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Hugging Face GPT-2 folder; the model that ships with Resid if left out.")
  private Path dir;

  /** Called by picocli. */
  ModelFolderMixin() {}

  /** Returns the folder; empty for the model that ships with Resid. */
  Optional<Path> dir() {
    return Optional.ofNullable(dir);
  }

  /** Returns the folder as it was given, or {@code embedded}. */
  String name() {
    return dir == null ? "embedded" : dir.toString();
  }

  /**
   * Opens the model's files without loading weights.
   *
   * @throws IOException if a file is missing or damaged
   */
  Gpt2Checkpoint open() throws IOException {
    return dir == null ? Gpt2Checkpoint.embedded() : Gpt2Checkpoint.open(dir);
  }
}
