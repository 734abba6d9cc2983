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
      paramLabel = "MODEL",
      description =
          "Hugging Face GPT-2 folder, or the name of a model that 'resid download' or Python"
              + " fetched, such as openai-community/gpt2; the model that ships with Resid if left"
              + " out.")
  private Path model;

  /** Called by picocli. */
  ModelFolderMixin() {}

  /** Returns whether the model is the one that ships with Resid. */
  boolean isEmbedded() {
    return model == null;
  }

  /**
   * Returns the folder; empty for the model that ships with Resid.
   *
   * @throws IOException if it is neither on this machine nor in the cache of Hugging Face
   */
  Optional<Path> dir() throws IOException {
    return model == null
        ? Optional.empty()
        : Optional.of(HubFolder.of(model, Gpt2Checkpoint.hubFiles()));
  }

  /** Returns the folder as it was given, or {@code embedded}. */
  String name() {
    return model == null ? "embedded" : model.toString();
  }

  /**
   * Opens the model's files without loading weights.
   *
   * @throws IOException if a file is missing or damaged
   */
  Gpt2Checkpoint open() throws IOException {
    Optional<Path> dir = dir();
    return dir.isEmpty() ? Gpt2Checkpoint.embedded() : Gpt2Checkpoint.open(dir.get());
  }
}
