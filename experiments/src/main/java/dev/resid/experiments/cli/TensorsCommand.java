package dev.resid.experiments.cli;

import dev.resid.io.Safetensors;
import dev.resid.io.TensorFile;
import dev.resid.io.TensorInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code resid tensors}: what is in a file of tensors. */
@Command(
    name = "tensors",
    description = {
      "List the tensors of a safetensors, npy, npz or PyTorch file with dtype and shape.",
      "The whole header is checked first; values are not read."
    },
    footer = {
      "",
      "With --json: {\"format\": ..., \"tensors\": {NAME: {\"dtype\": ..., \"shape\": [...]}}}.",
      "",
      "Example:",
      "  resid tensors models/gpt2/model.safetensors"
    })
final class TensorsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "FILE", description = "The file; its content says which format it has.")
  private Path file;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Called by picocli. */
  TensorsCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (TensorFile tensors = TensorFile.open(file)) {
      if (json) {
        printJson(tensors, out);
      } else {
        printTable(tensors, out);
      }
    }
    return ResidCommand.OK;
  }

  private static void printJson(TensorFile file, PrintWriter out) {
    JsonMapper mapper = new JsonMapper();
    ObjectNode root = mapper.createObjectNode();
    root.put("format", file.format());
    if (file instanceof Safetensors safetensors && !safetensors.metadata().isEmpty()) {
      ObjectNode metadata = root.putObject("metadata");
      safetensors.metadata().forEach(metadata::put);
    }
    ObjectNode tensors = root.putObject("tensors");
    for (TensorInfo info : file.entries()) {
      ObjectNode tensor = tensors.putObject(info.name());
      tensor.put("dtype", info.dtype().name());
      info.shape().forEach(tensor.putArray("shape")::add);
    }
    out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root));
  }

  private static void printTable(TensorFile file, PrintWriter out) {
    List<TensorInfo> entries = file.entries();
    int width = entries.stream().mapToInt(info -> visible(info.name()).length()).max().orElse(0);
    long values = 0;
    for (TensorInfo info : entries) {
      values += info.elements();
      out.println(
          String.format(
              Locale.ROOT,
              "%-" + Math.max(1, width) + "s  %-8s %s",
              visible(info.name()),
              info.dtype(),
              info.shape()));
    }
    out.println(
        String.format(
            Locale.ROOT,
            "%s: %d %s, %,d %s",
            file.format(),
            entries.size(),
            entries.size() == 1 ? "tensor" : "tensors",
            values,
            values == 1 ? "value" : "values"));
  }

  /** Returns a name from a file as what may be sent to a terminal. */
  private static String visible(String name) {
    StringBuilder text = new StringBuilder();
    name.codePoints()
        .forEach(
            c -> {
              if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
                text.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                text.appendCodePoint(c);
              }
            });
    return text.toString();
  }
}
