package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gradients;
import dev.resid.model.NonFiniteWeightException;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code resid gradients}: the loss and the gradient of every weight. */
@Command(
    name = "gradients",
    description = {
      "Write the mean next-token cross-entropy and its gradient for every weight.",
      "OUT gets 'loss' (nats, float64, no axes) and every gradient under the weight's name in the"
          + " checkpoint. The mean is over all next tokens of all rows."
    },
    footer = {"", "Example:", "  resid gradients --tokens tokens.json --out gradients.safetensors"})
final class GradientsCommand implements Callable<Integer> {
  @Mixin private ModelFolderMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private TokensMixin tokens;
  @Mixin private OutputMixin out;

  /** Called by picocli. */
  GradientsCommand() {}

  @Override
  public Integer call() throws IOException {
    out.require();
    out.requireRoomFor(2);
    TokenBatch batch = tokens.read();
    if (batch.maxLength() < 2) {
      throw new IOException(
          tokens.file() + ": no row has two tokens, so there is no next token to predict.");
    }
    try (Backend backend = backends.open();
        Gpt2Checkpoint checkpoint = model.open()) {
      Gpt2 gpt2 = load(checkpoint, backend);
      tokens.requireFit(batch, gpt2);
      TensorOutput writer = new TensorOutput().metadata("model", model.name());
      try (Tape tape = gpt2.record(batch)) {
        writer.add("loss", Shape.of(), new double[] {tape.meanCrossEntropyNats()});
        Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
        Gpt2Checkpoint.asInFile(gpt2.config(), gradients::weight)
            .forEach((weight, tensor) -> writer.add(checkpoint.keyOf(weight), tensor));
      }
      out.write(writer);
    }
    return ResidCommand.OK;
  }

  private Gpt2 load(Gpt2Checkpoint checkpoint, Backend backend) throws IOException {
    try {
      return Gpt2.of(checkpoint.weights(), backend);
    } catch (NonFiniteWeightException e) {
      throw new IOException(model.name() + ": " + e.getMessage(), e);
    }
  }
}
