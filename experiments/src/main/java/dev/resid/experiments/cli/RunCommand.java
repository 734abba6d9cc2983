package dev.resid.experiments.cli;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.ForwardResult;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;

  @Option(
      names = "--tokens",
      required = true,
      paramLabel = "FILE",
      description = "Rows of token ids: [[id, ...], ...].")
  private Path tokens;

  @Option(
      names = "--capture",
      split = ",",
      paramLabel = "NAME",
      description = "Activations to write: names, or patterns with *; repeat or separate by commas.")
  private List<String> captures = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "File to write.")
  private Path out;

  /** Called by picocli. */
  RunCommand() {}

  @Override
  public Integer call() throws IOException {
    TokenBatch batch = TokenBatch.readJson(tokens);
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      Capture[] hooks =
          matching(captures, gpt2.config().nLayers()).stream()
              .map(HookPoint::capture)
              .toArray(Capture[]::new);
      SafetensorsWriter writer = new SafetensorsWriter();
      writer.metadata("model", gpt2.source()).metadata("weights", gpt2.weightsState().name());
      if (batch.isRagged()) {
        for (int row = 0; row < batch.rows(); row++) {
          add(writer, gpt2.forward(batch.slice(row, row + 1), hooks), "." + row);
        }
      } else {
        add(writer, gpt2.forward(batch, hooks), "");
      }
      writer.write(out);
    }
    return ResidCommand.OK;
  }

  private static void add(SafetensorsWriter writer, ForwardResult result, String suffix) {
    writer.add("logits" + suffix, result.logits());
    for (HookPoint point : result.cache().points()) {
      Tensor tensor = result.cache().get(point);
      writer.add(point.name() + suffix, tensor);
    }
  }

  /**
   * Returns the points of a model that names or patterns match, in the order of the forward pass.
   *
   * @throws IllegalArgumentException if one matches nothing
   */
  static Set<HookPoint> matching(List<String> patterns, int nLayers) {
    Set<HookPoint> points = new TreeSet<>();
    for (String pattern : patterns) {
      String name = pattern.strip();
      if (!name.contains("*")) {
        points.add(HookPoint.parse(name));
        continue;
      }
      Pattern regex =
          Pattern.compile(
              java.util.Arrays.stream(name.split("\\*", -1))
                  .map(Pattern::quote)
                  .collect(java.util.stream.Collectors.joining(".*")));
      List<HookPoint> found =
          HookPoint.all(nLayers).stream().filter(p -> regex.matcher(p.name()).matches()).toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "no activation matches \"" + name + "\"; a name looks like blocks.3.hook_resid_pre");
      }
      points.addAll(found);
    }
    return points;
  }

  /** Returns one row of a batch, still with a batch axis. */
  static Tensor row(Tensor tensor, int row) {
    return tensor.slice(Axis.BATCH, row, row + 1);
  }
}
