package dev.resid.experiments.cli;

import dev.resid.io.TensorInfo;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.tokenizer.ByteLevelBpe;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid info}: what a checkpoint is, without loading its weights. */
@Command(
    name = "info",
    description =
        "Show a model's configuration, parameters and dtypes without loading its weights.",
    footer = {"", "Example:", "  resid info --model models/gpt2"})
final class InfoCommand implements Callable<Integer> {
  private static final double MEBI = 1 << 20;

  @Spec private CommandSpec spec;
  @Mixin private ModelFolderMixin model;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  /** Called by picocli. */
  InfoCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (Gpt2Checkpoint checkpoint = model.open()) {
      if (json) {
        out.println(
            new JsonMapper()
                .writerWithDefaultPrettyPrinter()
                .writeValueAsString(values(checkpoint)));
      } else {
        print(checkpoint, out);
      }
    }
    return ResidCommand.OK;
  }

  private Map<String, Object> values(Gpt2Checkpoint checkpoint) {
    Gpt2Config config = checkpoint.config();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("model", model.name());
    values.put("nLayers", config.nLayers());
    values.put("nHeads", config.nHeads());
    values.put("dHead", config.dHead());
    values.put("dModel", config.dModel());
    values.put("dMlp", config.dMlp());
    values.put("dVocab", config.dVocab());
    values.put("nCtx", config.nCtx());
    values.put("activation", lower(config.activation()));
    values.put("layerNormEpsilon", config.layerNormEpsilon());
    values.put("scoreScale", lower(config.scores()));
    values.put("embeddings", lower(config.embeddings()));
    values.put("bosToken", orNull(config.bosToken()));
    values.put("eosToken", orNull(config.eosToken()));
    values.put("parameters", config.parameters());
    values.put("tensorsByDtype", tensorsByDtype(checkpoint));
    values.put("tensorBytes", tensorBytes(checkpoint));
    values.put(
        "tokenizerTokens", checkpoint.tokenizer().map(ByteLevelBpe::vocabularySize).orElse(null));
    return values;
  }

  private void print(Gpt2Checkpoint checkpoint, PrintWriter out) {
    Gpt2Config config = checkpoint.config();
    line(out, "model", model.name());
    line(out, "blocks", config.nLayers());
    line(out, "heads", config.nHeads() + " of width " + config.dHead());
    line(out, "d_model", config.dModel());
    line(out, "d_mlp", config.dMlp());
    line(out, "d_vocab", config.dVocab());
    line(out, "context", config.nCtx());
    line(out, "activation", lower(config.activation()));
    line(out, "layer norm ε", config.layerNormEpsilon());
    line(out, "score scale", lower(config.scores()));
    line(out, "embeddings", lower(config.embeddings()));
    line(out, "bos, eos", orNone(config.bosToken()) + ", " + orNone(config.eosToken()));
    line(out, "parameters", String.format(Locale.ROOT, "%,d", config.parameters()));
    line(
        out,
        "tensors",
        tensorsByDtype(checkpoint).entrySet().stream()
            .map(e -> e.getValue() + " " + e.getKey())
            .collect(Collectors.joining(", ")));
    line(
        out,
        "weights",
        String.format(
            Locale.ROOT,
            "%.1f MiB in files, %.1f MiB as float32",
            tensorBytes(checkpoint) / MEBI,
            config.parameters() * 4 / MEBI));
    line(
        out,
        "tokenizer",
        checkpoint
            .tokenizer()
            .map(t -> "byte-level BPE, " + t.vocabularySize() + " tokens")
            .orElse("none in the folder"));
  }

  private static Map<String, Integer> tensorsByDtype(Gpt2Checkpoint checkpoint) {
    Map<String, Integer> counts = new TreeMap<>();
    for (TensorInfo info : checkpoint.tensors().values()) {
      counts.merge(info.dtype().name(), 1, Integer::sum);
    }
    return counts;
  }

  private static long tensorBytes(Gpt2Checkpoint checkpoint) {
    return checkpoint.tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static Integer orNull(OptionalInt id) {
    return id.isPresent() ? Integer.valueOf(id.getAsInt()) : null;
  }

  private static String orNone(OptionalInt id) {
    return id.isPresent() ? String.valueOf(id.getAsInt()) : "none";
  }

  private static void line(PrintWriter out, String name, Object value) {
    out.printf(Locale.ROOT, "%-14s %s%n", name, value);
  }
}
