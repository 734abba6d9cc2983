package dev.resid.experiments.cli;

import dev.resid.hook.HookPoint;
import dev.resid.io.TensorFile;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.progress.Progress;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
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
          + " its own, with '.ROW' (from 0) after the name and a batch of 1; directions past its"
          + " end are ignored."
    },
    footer = {
      "",
      "Example:",
      "  resid perturb --tokens tokens.json --site blocks.3.hook_resid_pre --lengths 1,2,4 \\",
      "    --direction directions.safetensors --out perturbed.safetensors"
    })
final class PerturbCommand implements Callable<Integer> {
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private TokensMixin tokens;
  @Mixin private OutputMixin out;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--site",
      required = true,
      paramLabel = "NAME",
      description =
          "Activation to change, for example blocks.3.hook_resid_pre. At attn.hook_z the direction"
              + " holds the heads one after the other.")
  private String site;

  @Option(
      names = "--direction",
      required = true,
      paramLabel = "FILE",
      description =
          "File with the tensor 'direction': safetensors, npz, or npy with nothing else in it.")
  private Path direction;

  @Option(
      names = "--lengths",
      required = true,
      converter = NumberList.Converter.class,
      paramLabel = "A,B,...",
      description = "Factors on the direction, separated by commas.")
  private NumberList lengths;

  @Option(names = "--logits", description = "Also write 'logits' [length, batch, pos, d_vocab].")
  private boolean logits;

  /** Called by picocli. */
  PerturbCommand() {}

  @Override
  public Integer call() throws IOException {
    out.require();
    out.requireRoomFor(logits ? 3 : 2);
    TokenBatch batch = tokens.read();
    HookPoint point = HookPoint.parse(site.strip());
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      tokens.requireFit(batch, gpt2);
      Tensor given = readDirection(batch, gpt2.config().dModel());
      TensorOutput writer = new TensorOutput();
      writer
          .metadata("model", gpt2.source())
          .metadata("weights", gpt2.weightsState().name())
          .metadata("site", point.name())
          .metadata("lengths", lengths.toString());
      try (Progress.Task task = progress.progress().begin("perturbing", "rows", 0, batch.rows())) {
        if (batch.isRagged()) {
          for (int row = 0; row < batch.rows(); row++) {
            Tensor along = rows(given, row, row + 1).slice(Axis.POS, 0, batch.length(row));
            Results results = new Results(1, batch.length(row));
            results.measure(gpt2, batch.slice(row, row + 1), point, along, 0);
            results.addTo(writer, "." + row);
            task.advanceTo(row + 1);
          }
        } else {
          Results results = new Results(batch.rows(), batch.maxLength());
          int step = TokensMixin.rowsAtATime(batch);
          for (int from = 0; from < batch.rows(); from += step) {
            int to = Math.min(batch.rows(), from + step);
            results.measure(gpt2, batch.slice(from, to), point, rows(given, from, to), from);
            task.advanceTo(to);
          }
          results.addTo(writer, "");
        }
      }
      out.write(writer);
    }
    return ResidCommand.OK;
  }

  /** Returns the direction, [batch, pos, d_model], finite wherever a row has a token. */
  private Tensor readDirection(TokenBatch batch, int dModel) throws IOException {
    Shape shape =
        Shape.of(Axis.BATCH, batch.rows(), Axis.POS, batch.maxLength(), Axis.D_MODEL, dModel);
    Tensor read;
    try (TensorFile file = TensorFile.open(direction)) {
      read = file.tensor(SaeRows.nameIn(file, "direction"), shape);
    }
    float[] values = read.toArray();
    for (int i = 0; i < values.length; i++) {
      int row = i / dModel / batch.maxLength();
      int pos = i / dModel % batch.maxLength();
      if (!Float.isFinite(values[i]) && pos < batch.length(row)) {
        throw new IOException(
            direction
                + ": direction["
                + row
                + ", "
                + pos
                + ", "
                + i % dModel
                + "] is "
                + values[i]
                + ", which is no direction to go; give finite numbers.");
      }
    }
    return read;
  }

  private static Tensor rows(Tensor tensor, int from, int to) {
    return tensor.slice(Axis.BATCH, from, to);
  }

  /** Returns activation + length·direction, in float64 and rounded once. */
  private static Tensor moved(Tensor activation, double length, Tensor direction) {
    float[] values = activation.toArray();
    float[] along = direction.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (values[i] + length * along[i]);
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(
            "length "
                + length
                + " along this direction leaves the range of float32; use shorter"
                + " lengths or a shorter direction.");
      }
    }
    return Tensor.wrap(activation.shape(), values);
  }

  /** The numbers of some rows of equal length, for every perturbation length. */
  private final class Results {
    private final int rows;
    private final int pos;
    private final double[] kl;
    private final double[] l2;
    private final List<List<Tensor>> changedLogits;

    private Results(int rows, int pos) {
      this.rows = rows;
      this.pos = pos;
      int count = lengths.values().size();
      this.kl = new double[Math.multiplyExact(Math.multiplyExact(count, rows), pos)];
      this.l2 = new double[kl.length];
      this.changedLogits =
          IntStream.range(0, count).<List<Tensor>>mapToObj(i -> new ArrayList<>()).toList();
    }

    /** Measures a few rows, of which the first one is row {@code firstRow} here. */
    private void measure(
        Gpt2 gpt2, TokenBatch batch, HookPoint point, Tensor direction, int firstRow) {
      HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
      try (BaseRun base = gpt2.baseRun(batch, point)) {
        for (int i = 0; i < lengths.values().size(); i++) {
          Continuation run =
              base.continueWith(moved(base.activation(), lengths.values().get(i), direction));
          put(run.klNats(), kl, i, firstRow);
          put(run.l2At(last), l2, i, firstRow);
          if (logits) {
            changedLogits.get(i).add(run.logits());
          }
        }
      }
    }

    private void put(PositionValues values, double[] target, int length, int firstRow) {
      for (int row = 0; row < values.rows(); row++) {
        System.arraycopy(values.row(row), 0, target, (length * rows + firstRow + row) * pos, pos);
      }
    }

    private void addTo(TensorOutput writer, String suffix) {
      Shape shape = Shape.of(Axis.LENGTH, lengths.values().size(), Axis.BATCH, rows, Axis.POS, pos);
      writer.add("kl" + suffix, shape, kl);
      writer.add("l2" + suffix, shape, l2);
      if (logits) {
        List<Tensor> all = changedLogits.stream().map(StackedStorage::rows).toList();
        writer.add("logits" + suffix, StackedStorage.along(Axis.LENGTH, all));
      }
    }
  }
}
