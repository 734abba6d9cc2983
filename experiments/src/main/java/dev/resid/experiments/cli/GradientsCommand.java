package dev.resid.experiments.cli;

import dev.resid.io.SafetensorsWriter;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gradients;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Wanted;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Hugging Face GPT-2 folder; the model that ships with Resid if left out.")
  private Path dir;

  @Mixin private BackendOptionsMixin backends;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "FILE",
      description = "Rows of token ids: [[id, ...], ...].")
  private Path tokens;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "File to write.")
  private Path out;

  /** Called by picocli. */
  GradientsCommand() {}

  @Override
  public Integer call() throws IOException {
    TokenBatch batch = TokenBatch.readJson(tokens);
    if (batch.maxLength() < 2) {
      throw new IllegalArgumentException(
          tokens + ": no row has two tokens, so there is no next token to predict");
    }
    try (Backend backend = backends.open();
        Gpt2Checkpoint checkpoint =
            dir == null ? Gpt2Checkpoint.embedded() : Gpt2Checkpoint.open(dir)) {
      Gpt2 gpt2 = Gpt2.of(checkpoint.weights(), backend);
      SafetensorsWriter writer = new SafetensorsWriter();
      try (Tape tape = gpt2.record(batch)) {
        writer.add("loss", Shape.of(), new double[] {tape.meanCrossEntropyNats()});
        Gradients gradients = tape.backward(Wanted.weightGradients(), Seed.crossEntropy());
        Gpt2Checkpoint.asInFile(gpt2.config(), gradients::weight)
            .forEach((weight, tensor) -> writer.add(checkpoint.keyOf(weight), tensor));
      }
      writer.write(out);
    }
    return ResidCommand.OK;
  }
}
