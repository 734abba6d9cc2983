package dev.resid.experiments.cli;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code resid run}: logits and activations of token rows, as safetensors. */
@Command(
    name = "run",
    description = {
      "Run a model and write logits and activations.",
      "OUT gets 'logits' [batch, pos, d_vocab] and every captured activation under its"
          + " TransformerLens name. Where rows differ in length, every row is written on its own,"
          + " with '.ROW' (from 0) after the name and a batch of 1."
    },
    footer = {
      "",
      "Example:",
      "  resid run --tokens tokens.json --capture 'blocks.*.hook_resid_pre' --out run.safetensors"
    })
final class RunCommand implements Callable<Integer> {
  private static final String LOGITS = "logits";

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private TokensMixin tokens;
  @Mixin private OutputMixin out;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--capture",
      split = ",",
      paramLabel = "NAME",
      description =
          "Activations to write: names, or patterns with * ? [...]; repeat or separate by commas.")
  private List<String> captures = new ArrayList<>();

  /** Called by picocli. */
  RunCommand() {}

  @Override
  public Integer call() throws IOException {
    if (captures.isEmpty() && spec.commandLine().getParseResult().hasMatchedOption("--capture")) {
      throw new ParameterException(spec.commandLine(), "--capture names no activation");
    }
    out.require();
    TokenBatch batch = tokens.read();
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      tokens.requireFit(batch, gpt2);
      Capture[] hooks =
          Capture.each(
              HookPoint.matching(gpt2.config().nLayers(), captures.toArray(String[]::new)));
      out.requireRoomFor((1 + hooks.length) * (batch.isRagged() ? batch.rows() : 1));
      TensorOutput writer = new TensorOutput();
      writer.metadata("model", gpt2.source()).metadata("weights", gpt2.weightsState().name());
      try (Progress.Task task = progress.progress().begin("running", "rows", 0, batch.rows())) {
        if (batch.isRagged()) {
          addRows(writer, gpt2, batch, hooks, task);
        } else {
          addBatch(writer, gpt2, batch, hooks, task);
        }
      }
      out.write(writer);
    }
    return ResidCommand.OK;
  }

  /** Adds every row on its own. */
  private static void addRows(
      TensorOutput writer, Gpt2 gpt2, TokenBatch batch, Capture[] hooks, Progress.Task task) {
    for (int row = 0; row < batch.rows(); row++) {
      String suffix = "." + row;
      tensors(gpt2.forward(batch.slice(row, row + 1), hooks))
          .forEach((name, tensor) -> writer.add(name + suffix, tensor));
      task.advanceTo(row + 1);
    }
  }

  /** Adds all rows together, running a few at a time. */
  private static void addBatch(
      TensorOutput writer, Gpt2 gpt2, TokenBatch batch, Capture[] hooks, Progress.Task task) {
    Map<String, List<Tensor>> parts = new LinkedHashMap<>();
    int step = TokensMixin.rowsAtATime(batch);
    for (int from = 0; from < batch.rows(); from += step) {
      int to = Math.min(batch.rows(), from + step);
      tensors(gpt2.forward(batch.slice(from, to), hooks))
          .forEach(
              (name, tensor) -> parts.computeIfAbsent(name, any -> new ArrayList<>()).add(tensor));
      task.advanceTo(to);
    }
    parts.forEach((name, tensors) -> writer.add(name, StackedStorage.rows(tensors)));
  }

  private static Map<String, Tensor> tensors(ForwardResult result) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put(LOGITS, result.logits());
    for (HookPoint point : result.cache().points()) {
      tensors.put(point.name(), result.cache().get(point));
    }
    return tensors;
  }
}
