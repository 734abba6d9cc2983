package dev.resid.experiments.cli;

import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code resid info}: what a checkpoint is, without loading its weights. */
@Command(
    name = "info",
    description = "Show a model's configuration, parameters and dtypes without loading its weights.",
    footer = {"", "Example:", "  resid info --model models/gpt2"})
final class InfoCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;

  /** Called by picocli. */
  InfoCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (Gpt2Checkpoint checkpoint = model.open()) {
      Gpt2Config config = checkpoint.config();
      line(out, "model", model.name());
      line(out, "blocks", String.valueOf(config.nLayers()));
      line(out, "heads", config.nHeads() + " of width " + config.dHead());
      line(out, "d_model", String.valueOf(config.dModel()));
      line(out, "d_mlp", String.valueOf(config.dMlp()));
      line(out, "d_vocab", String.valueOf(config.dVocab()));
      line(out, "context", String.valueOf(config.nCtx()));
      line(out, "activation", config.activation().name().toLowerCase(Locale.ROOT));
      line(out, "layer norm ε", String.valueOf(config.layerNormEpsilon()));
      line(out, "score scale", config.scores().name().toLowerCase(Locale.ROOT));
      line(out, "embeddings", config.embeddings().name().toLowerCase(Locale.ROOT));
      line(out, "bos, eos", token(config.bosToken()) + ", " + token(config.eosToken()));
      line(out, "parameters", String.format(Locale.ROOT, "%,d", config.parameters()));
      line(
          out,
          "memory",
          String.format(Locale.ROOT, "%.1f MiB as float32", config.parameters() * 4.0 / (1 << 20)));
      Map<String, Integer> dtypes = new TreeMap<>();
      long bytes = 0;
      for (TensorInfo info : checkpoint.tensors().values()) {
        dtypes.merge(info.dtype().name(), 1, Integer::sum);
        bytes += info.bytes();
      }
      line(
          out,
          "tensors",
          dtypes.entrySet().stream()
              .map(e -> e.getValue() + " " + e.getKey())
              .collect(Collectors.joining(", ")));
      line(out, "file size", String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20)));
      line(
          out,
          "tokenizer",
          checkpoint
              .tokenizer()
              .map(t -> "byte-level BPE, " + t.vocabularySize() + " tokens")
              .orElse("none in the folder"));
    }
    return ResidCommand.OK;
  }

  private static String token(OptionalInt id) {
    return id.isPresent() ? String.valueOf(id.getAsInt()) : "none";
  }

  private static void line(PrintWriter out, String name, String value) {
    out.printf(Locale.ROOT, "%-14s %s%n", name, value);
  }
}
