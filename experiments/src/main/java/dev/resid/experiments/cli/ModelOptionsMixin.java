package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.WeightTransforms;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options {@code --model} and {@code --weights}. */
final class ModelOptionsMixin {
  /** States a model's weights can be asked for in; picocli prints the names in help. */
  enum Weights {
    /** As in the checkpoint. */
    RAW,
    /** As TransformerLens rewrites them on load. */
    TRANSFORMERLENS
  }

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Hugging Face GPT-2 folder; the model that ships with Resid if left out.")
  private Path dir;

  @Option(
      names = "--weights",
      paramLabel = "STATE",
      description =
          "raw (as in the files, the default) or transformerlens (layer norms folded, writing"
              + " weights and unembedding centred, value biases folded).")
  private Weights weights = Weights.RAW;

  /** Called by picocli. */
  ModelOptionsMixin() {}

  /**
   * Loads the model.
   *
   * @throws IOException if a file is missing or damaged
   */
  Gpt2 load(Backend backend) throws IOException {
    return dir == null
        ? Gpt2.embedded(backend, transforms())
        : Gpt2.load(dir, backend, transforms());
  }

  /**
   * Opens the model's files without loading weights.
   *
   * @throws IOException if a file is missing or damaged
   */
  Gpt2Checkpoint open() throws IOException {
    return dir == null ? Gpt2Checkpoint.embedded() : Gpt2Checkpoint.open(dir);
  }

  /** Returns what was given, or {@code embedded}. */
  String name() {
    return dir == null ? "embedded" : dir.toString();
  }

  WeightTransforms transforms() {
    return switch (weights) {
      case RAW -> WeightTransforms.none();
      case TRANSFORMERLENS -> WeightTransforms.transformerLens();
    };
  }
}
