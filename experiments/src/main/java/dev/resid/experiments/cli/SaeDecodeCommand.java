package dev.resid.experiments.cli;

import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code resid sae decode}: what features in a file stand for. */
@Command(
    name = "decode",
    description = {
      "Write the activations that features stand for.",
      "IN has 'features' [rows, d_sae]. OUT gets 'reconstruction' [rows, d_out]. An SAE that"
          + " normalises every row on its own, or has a skip connection, needs the activations too:"
          + " --x."
    },
    footer = {
      "",
      "Example:",
      "  resid sae decode --sae my-sae --in features.safetensors --out x.safetensors"
    })
final class SaeDecodeCommand implements Callable<Integer> {
  @Mixin private SaeMixin sae;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private OutputMixin out;

  @Option(
      names = "--in",
      required = true,
      paramLabel = "FILE",
      description = "File with the features, tensor 'features'.")
  private Path in;

  @Option(
      names = "--x",
      paramLabel = "FILE",
      description = "File with the activations the features are of, tensor 'x' [rows, d_in].")
  private Path activations;

  /** Called by picocli. */
  SaeDecodeCommand() {}

  @Override
  public Integer call() throws IOException {
    out.require();
    try (Backend backend = backends.open();
        SaeCheckpoint checkpoint = sae.open()) {
      SaeConfig config = checkpoint.config();
      boolean skips = checkpoint.tensors().containsKey(SaeWeight.W_skip);
      if (activations == null && (config.normalization().dependsOnRow() || skips)) {
        throw new IOException(
            config.name()
                + " cannot be decoded from features alone ("
                + (skips ? "skip connection" : "every row is normalised on its own")
                + "): add --x with the activations.");
      }
      Sae loaded = checkpoint.load(backend);
      Tensor features = SaeRows.read(in, "features", Axis.D_SAE, config.dSae());
      Tensor x = activations == null ? null : SaeRows.read(activations, "x", Axis.IN, config.dIn());
      int rows = features.shape().size(Axis.ROW);
      if (x != null && x.shape().size(Axis.ROW) != rows) {
        throw new IOException(
            activations
                + ": tensor x has "
                + x.shape().size(Axis.ROW)
                + " rows, the features have "
                + rows
                + ".");
      }
      out.write(
          new TensorOutput()
              .metadata("sae", sae.name())
              .add("reconstruction", decode(loaded, features, x, rows)));
    }
    return ResidCommand.OK;
  }

  private static Tensor decode(Sae sae, Tensor features, Tensor x, int rows) {
    int width = sae.config().dOut();
    float[] all = new float[Math.multiplyExact(rows, width)];
    for (int from = 0; from < rows; from += SaeRows.AT_A_TIME) {
      int to = Math.min(rows, from + SaeRows.AT_A_TIME);
      SparseFeatures active = SparseFeatures.of(features.slice(Axis.ROW, from, to));
      Tensor part =
          x == null ? sae.decode(active) : sae.decode(active, x.slice(Axis.ROW, from, to));
      System.arraycopy(part.toArray(), 0, all, from * width, (to - from) * width);
    }
    return Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.OUT, width), all);
  }
}
