package dev.resid.experiments.cli;

import dev.resid.sae.Sae;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code resid sae encode}: features, or reconstructions, of activations in a file. */
@Command(
    name = "encode",
    description = {
      "Write the features of activations, or with --reconstruct what the SAE makes of them.",
      "IN has 'x' [rows, d_in]. OUT gets 'features' [rows, d_sae], or 'reconstruction' and 'error'"
          + " (x minus reconstruction), both [rows, d_in]."
    },
    footer = {
      "",
      "Example:",
      "  resid sae encode --sae my-sae --in x.safetensors --out y.safetensors"
    })
final class SaeEncodeCommand implements Callable<Integer> {
  @Mixin private SaeMixin sae;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private OutputMixin out;

  @Option(
      names = "--in",
      required = true,
      paramLabel = "FILE",
      description = "File with the activations, tensor 'x'.")
  private Path in;

  @Option(names = "--reconstruct", description = "Write reconstruction and error instead.")
  private boolean reconstruct;

  /** Called by picocli. */
  SaeEncodeCommand() {}

  @Override
  public Integer call() throws IOException {
    out.require();
    out.requireRoomFor(reconstruct ? 2 : 1);
    try (Backend backend = backends.open()) {
      Sae loaded = sae.load(backend);
      Tensor x = SaeRows.read(in, "x", Axis.IN, loaded.config().dIn());
      TensorOutput writer = new TensorOutput().metadata("sae", sae.name());
      if (reconstruct) {
        addReconstruction(writer, loaded, x);
      } else {
        addFeatures(writer, loaded, x);
      }
      out.write(writer);
    }
    return ResidCommand.OK;
  }

  private static void addFeatures(TensorOutput writer, Sae sae, Tensor x) {
    List<SparseFeatures> parts = new ArrayList<>();
    int rows = x.shape().size(Axis.ROW);
    for (int from = 0; from < rows; from += SaeRows.AT_A_TIME) {
      parts.add(sae.encode(x.slice(Axis.ROW, from, Math.min(rows, from + SaeRows.AT_A_TIME))));
    }
    writer.add("features", FeatureStorage.rows(parts, sae.config().dSae()));
  }

  private static void addReconstruction(TensorOutput writer, Sae sae, Tensor x) throws IOException {
    if (sae.config().dOut() != sae.config().dIn()
        || !sae.config().outputPoint().equals(sae.config().point())) {
      throw new IOException(
          sae.config().name()
              + " is a transcoder, which does not reconstruct what it reads; leave out"
              + " --reconstruct.");
    }
    int rows = x.shape().size(Axis.ROW);
    int width = sae.config().dIn();
    float[] all = new float[Math.toIntExact(x.elements())];
    for (int from = 0; from < rows; from += SaeRows.AT_A_TIME) {
      Tensor part = x.slice(Axis.ROW, from, Math.min(rows, from + SaeRows.AT_A_TIME));
      float[] values = sae.reconstruct(part).toArray();
      System.arraycopy(values, 0, all, from * width, values.length);
    }
    Tensor reconstruction = Tensor.wrap(Shape.of(Axis.ROW, rows, Axis.IN, width), all);
    writer.add("reconstruction", reconstruction).add("error", x.minus(reconstruction));
  }
}
