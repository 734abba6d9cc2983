package dev.resid.experiments.cli;

import dev.resid.hook.HookPoint;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Dim;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code resid perturb}: what follows from moving an activation along given directions. */
@Command(
    name = "perturb",
    description = {
      "Add lengths of a direction to an activation and measure what follows.",
      "The direction file holds 'direction' [batch, pos, d_model], used as given (not normalised)."
          + " OUT gets 'kl' (KL(original||perturbed), nats) and 'l2' (at the last resid_post), each"
          + " [length, batch, pos] in float64. Where rows differ in length, every row is written on"
          + " its own, with '.ROW' after the name; directions past its end are ignored."
    },
    footer = {
      "",
      "Example:",
      "  resid perturb --tokens t.json --site blocks.3.hook_resid_pre --direction d.safetensors"
          + " --lengths 1,2,4 --out kl.safetensors"
    })
final class PerturbCommand implements Callable<Integer> {
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "FILE",
      description = "Rows of token ids: [[id, ...], ...].")
  private Path tokens;

  @Option(
      names = "--site",
      required = true,
      paramLabel = "NAME",
      description = "Activation to change, for example blocks.3.hook_resid_pre.")
  private String site;

  @Option(
      names = "--direction",
      required = true,
      paramLabel = "FILE",
      description = "Safetensors file with the tensor 'direction'.")
  private Path direction;

  @Option(
      names = "--lengths",
      required = true,
      split = ",",
      paramLabel = "A",
      description = "Factors on the direction, separated by commas.")
  private List<Double> lengths = new ArrayList<>();

  @Option(
      names = "--logits",
      description = "Also write 'logits' [length, batch, pos, d_vocab].")
  private boolean logits;

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "File to write.")
  private Path out;

  /** Called by picocli. */
  PerturbCommand() {}

  @Override
  public Integer call() throws IOException {
    TokenBatch batch = TokenBatch.readJson(tokens);
    HookPoint point = HookPoint.parse(site);
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      Tensor given = readDirection(batch, gpt2.config().dModel());
      SafetensorsWriter writer = new SafetensorsWriter();
      writer.metadata("model", gpt2.source()).metadata("weights", gpt2.weightsState().name());
      if (batch.isRagged()) {
        for (int row = 0; row < batch.rows(); row++) {
          Tensor rowDirection =
              RunCommand.row(given, row).slice(Axis.POS, 0, batch.length(row));
          add(writer, gpt2, batch.slice(row, row + 1), point, rowDirection, "." + row);
        }
      } else {
        add(writer, gpt2, batch, point, given, "");
      }
      writer.write(out);
    }
    return ResidCommand.OK;
  }

  private void add(
      SafetensorsWriter writer,
      Gpt2 gpt2,
      TokenBatch batch,
      HookPoint point,
      Tensor direction,
      String suffix) {
    int rows = batch.rows();
    int pos = batch.maxLength();
    int count = lengths.size();
    double[] kl = new double[count * rows * pos];
    double[] l2 = new double[count * rows * pos];
    List<Tensor> all = new ArrayList<>();
    HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
    try (BaseRun base = gpt2.baseRun(batch, point)) {
      for (int i = 0; i < count; i++) {
        Continuation run =
            base.continueWith(moved(base.activation(), lengths.get(i), direction));
        put(run.klNats(), kl, i * rows * pos);
        put(run.l2At(last), l2, i * rows * pos);
        if (logits) {
          all.add(run.logits());
        }
      }
    }
    Shape shape = Shape.of(Axis.LENGTH, count, Axis.BATCH, rows, Axis.POS, pos);
    writer.add("kl" + suffix, shape, kl);
    writer.add("l2" + suffix, shape, l2);
    if (logits) {
      writer.add("logits" + suffix, stacked(all));
    }
  }

  private Tensor readDirection(TokenBatch batch, int dModel) throws IOException {
    Shape shape =
        Shape.of(Axis.BATCH, batch.rows(), Axis.POS, batch.maxLength(), Axis.D_MODEL, dModel);
    try (Safetensors file = Safetensors.open(direction)) {
      return file.tensor("direction", shape);
    }
  }

  /** Returns activation + length·direction, in float64 and rounded once. */
  private static Tensor moved(Tensor activation, double length, Tensor direction) {
    float[] values = activation.toArray();
    float[] along = direction.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] + length * along[i]);
    }
    return Tensor.wrap(activation.shape(), values);
  }

  private static void put(PositionValues values, double[] target, int offset) {
    int at = offset;
    for (int row = 0; row < values.rows(); row++) {
      for (double value : values.row(row)) {
        target[at++] = value;
      }
    }
  }

  private static Tensor stacked(List<Tensor> tensors) {
    Shape one = tensors.getFirst().shape();
    List<Dim> dims = new ArrayList<>(one.dims());
    dims.addFirst(new Dim(Axis.LENGTH, tensors.size()));
    Shape shape = new Shape(dims);
    float[] values = new float[Math.toIntExact(shape.elements())];
    int size = Math.toIntExact(one.elements());
    for (int i = 0; i < tensors.size(); i++) {
      System.arraycopy(tensors.get(i).toArray(), 0, values, i * size, size);
    }
    return Tensor.wrap(shape, values);
  }
}
