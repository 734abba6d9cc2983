package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.model.WeightTransforms;
import dev.resid.model.WeightsState;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeMismatchException;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options {@code --sae}, {@code --at} and {@code --weights} of commands that use one SAE. Those
 * that also run a model have {@link ModelFolderMixin} beside it and load the model with {@link
 * #model}, so that it has the weights the SAE was trained on.
 */
final class SaeMixin {
  @Option(
      names = "--sae",
      required = true,
      paramLabel = SaeSource.LABEL,
      description = SaeSource.DESCRIPTION)
  private String source;

  @Mixin private SaeStatementMixin statement;

  /** Called by picocli. */
  SaeMixin() {}

  /** Returns what people call the SAE, without the path to it. */
  String name() {
    return new SaeSource(source).name();
  }

  /**
   * Opens the SAE without loading its weights; the caller closes it.
   *
   * @throws IOException if it cannot be read, or its files state something else than the options
   */
  SaeCheckpoint open() throws IOException {
    return new SaeSource(source).open(statement.stated());
  }

  /**
   * Loads the SAE.
   *
   * @throws IOException if it cannot be read, or its files state something else than the options
   */
  Sae load(Backend backend) throws IOException {
    try (SaeCheckpoint checkpoint = open()) {
      return checkpoint.load(backend);
    }
  }

  /**
   * Loads a model with the weights an SAE was trained on.
   *
   * @param folder which model
   * @param config facts of the SAE
   * @throws IOException if nobody states which weights those are, or the model cannot be read
   * @throws SaeMismatchException if the model lacks the activation
   */
  static Gpt2 model(ModelFolderMixin folder, SaeConfig config, Backend backend) throws IOException {
    Gpt2 gpt2 = model(folder, requireWeights(config), backend);
    config.requireFits(gpt2);
    return gpt2;
  }

  /**
   * Loads a model with its weights in a state.
   *
   * @throws IOException if it cannot be read
   */
  static Gpt2 model(ModelFolderMixin folder, WeightsState state, Backend backend)
      throws IOException {
    WeightTransforms transforms =
        state.equals(WeightsState.RAW)
            ? WeightTransforms.none()
            : WeightTransforms.transformerLens();
    Optional<Path> dir = folder.dir();
    return dir.isPresent()
        ? Gpt2.load(dir.get(), backend, transforms)
        : Gpt2.embedded(backend, transforms);
  }

  /**
   * Returns the state of the model's weights an SAE was trained on.
   *
   * @throws IOException if nobody states it; the sentence names the remedy
   */
  static WeightsState requireWeights(SaeConfig config) throws IOException {
    if (config.weights().isEmpty()) {
      throw new IOException(
          config.name()
              + ": neither its files nor the catalogue state which weights it was trained on; add"
              + " --weights raw or --weights transformerlens ('resid sae check' finds out which).");
    }
    return config.weights().get();
  }
}
