package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options {@code --model} and {@code --weights}. */
final class ModelOptionsMixin {
  /** States a model's weights can be asked for in. */
  enum Weights {
    /** As in the checkpoint. */
    RAW,
    /** As TransformerLens rewrites them on load. */
    TRANSFORMERLENS
  }

  @Mixin private ModelFolderMixin folder;

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
   * @throws IOException if a file is missing or damaged, or a weight is not finite
   */
  Gpt2 load(Backend backend) throws IOException {
    Optional<Path> dir = folder.dir();
    return dir.isPresent()
        ? Gpt2.load(dir.get(), backend, transforms())
        : Gpt2.embedded(backend, transforms());
  }

  /** Returns whether the model is the one that ships with Resid. */
  boolean isEmbedded() {
    return folder.isEmbedded();
  }

  private WeightTransforms transforms() {
    return switch (weights) {
      case RAW -> WeightTransforms.none();
      case TRANSFORMERLENS -> WeightTransforms.transformerLens();
    };
  }
}
