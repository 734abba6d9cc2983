package dev.resid.experiments.cli;

import dev.resid.io.AtomicFiles;
import dev.resid.io.DType;
import dev.resid.io.FileHash;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.train.Gpt2Trainer;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import dev.resid.train.TextLoss;
import dev.resid.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid train gpt2}: a GPT-2 from scratch. */
@Command(
    name = "gpt2",
    description = {
      "Train a GPT-2 from text.",
      "OUT becomes a model folder (config.json, model.safetensors, tokenizer, training.json). The"
          + " same command goes on from OUT/checkpoint after an interruption and ends in the same"
          + " bits as a run without one."
    },
    footer = {
      "",
      "Example:",
      "  resid train gpt2 --tokenizer bpe --text a.txt,b.txt --steps 1000 --out my-gpt2"
    })
final class TrainGpt2Command implements Callable<Integer> {
  /** Dtypes weights can be written in. */
  enum Dtype {
    /** 32 bits. */
    F32,
    /** 16 bits, IEEE 754. */
    F16,
    /** 16 bits, the upper half of F32. */
    BF16
  }

  @Spec private CommandSpec spec;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;

  @Option(
      names = "--tokenizer",
      required = true,
      paramLabel = "DIR",
      description = "Tokenizer folder, for example one that 'resid train tokenizer' made.")
  private Path tokenizerDir;

  @Option(
      names = "--text",
      required = true,
      split = ",",
      paramLabel = "FILE",
      description =
          "UTF-8 text to train on; several files separated by commas, or a folder of .txt files."
              + " Lines that hold only <|endoftext|> separate documents.")
  private List<Path> text = new ArrayList<>();

  @Option(
      names = "--valid",
      split = ",",
      paramLabel = "FILE",
      description = "Text to measure bits per byte on at the end, given like --text.")
  private List<Path> valid = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write.")
  private Path out;

  @Option(
      names = "--layers",
      paramLabel = "N",
      description = "Blocks; ${DEFAULT-VALUE} if left out.")
  private int layers = 6;

  @Option(
      names = "--heads",
      paramLabel = "N",
      description = "Attention heads a block; ${DEFAULT-VALUE} if left out.")
  private int heads = 6;

  @Option(
      names = "--width",
      paramLabel = "N",
      description = "Width of the residual stream; ${DEFAULT-VALUE} if left out.")
  private int width = 192;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Positions, and tokens a row; ${DEFAULT-VALUE} if left out.")
  private int context = 256;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Optimiser steps; ${DEFAULT-VALUE} if left out.")
  private int steps = 5200;

  @Option(
      names = "--batch",
      paramLabel = "ROWS",
      description = "Rows a step; ${DEFAULT-VALUE} if left out.")
  private int batch = 8;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "Peak learning rate; ${DEFAULT-VALUE} if left out.")
  private double learningRate = 2e-3;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      description = "Steps of linear warm-up; ${DEFAULT-VALUE} if left out.")
  private int warmup = 200;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      description = "Steps between checkpoints; ${DEFAULT-VALUE} if left out.")
  private int every = 100;

  @Option(
      names = "--dtype",
      paramLabel = "D",
      description = "Dtype of the written weights: f32, f16 or bf16; ${DEFAULT-VALUE} if left out.")
  private Dtype dtype = Dtype.F32;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of weights and order; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  /** Called by picocli. */
  TrainGpt2Command() {}

  @Override
  public Integer call() throws IOException {
    ByteLevelBpe tokenizer = ByteLevelBpe.load(tokenizerDir);
    List<Path> files = TextFiles.expand(text);
    List<Path> validFiles = TextFiles.expand(valid);
    TrainingPlan plan =
        TrainingPlan.of(
            config(tokenizer), new LearningRate(learningRate, warmup, steps, 0.05), batch, context,
            seed);
    Instant start = Instant.now();
    try (Backend backend = backends.open()) {
      TextCorpus corpus = TextCorpus.read(files, tokenizer);
      Path checkpoint = out.resolve("checkpoint");
      Gpt2Trainer trainer = Gpt2Trainer.startOrResume(plan, corpus, backend, checkpoint);
      Progress told = progress.progress();
      trainer.run(checkpoint, every, told);
      Gpt2Checkpoint.save(trainer.weights(), DType.valueOf(dtype.name()), out);
      tokenizer.save(out);
      Map<String, Object> record = record(plan, corpus, trainer, files, start, backend);
      if (!validFiles.isEmpty()) {
        record.put("validation", validation(backend, validFiles, told));
      }
      AtomicFiles.write(
          out.resolve("training.json"),
          JsonMapper.builder()
                  .enable(SerializationFeature.INDENT_OUTPUT)
                  .build()
                  .writeValueAsString(record)
              + "\n");
    }
    spec.commandLine().getOut().println("Wrote the model to " + out);
    return ResidCommand.OK;
  }

  private Gpt2Config config(ByteLevelBpe tokenizer) {
    OptionalInt end = tokenizer.endOfText();
    Gpt2Config usual = Gpt2Config.of(layers, heads, width, tokenizer.vocabularySize(), context);
    return new Gpt2Config(
        usual.nLayers(),
        usual.nHeads(),
        usual.dModel(),
        usual.dMlp(),
        usual.dVocab(),
        usual.nCtx(),
        usual.activation(),
        usual.layerNormEpsilon(),
        usual.scores(),
        usual.embeddings(),
        end,
        end);
  }

  private Map<String, Object> record(
      TrainingPlan plan,
      TextCorpus corpus,
      Gpt2Trainer trainer,
      List<Path> files,
      Instant start,
      Backend backend)
      throws IOException {
    Map<String, Object> record = new LinkedHashMap<>();
    record.put("command", "resid " + String.join(" ", spec.root().commandLine()
        .getParseResult().originalArgs()));
    record.put("plan", plan.toString());
    record.put("parameters", plan.model().parameters());
    record.put("backend", backend.description());
    record.put("started", start.toString());
    record.put("finished", Instant.now().toString());
    record.put("trainingTokens", corpus.tokens());
    record.put("tokensSeen", (long) steps * batch * context);
    record.put("data", hashes(files));
    record.put("tokenizer", hashes(List.of(out.resolve("vocab.json"), out.resolve("merges.txt"))));
    record.put("weights", hashes(List.of(out.resolve("model.safetensors"))));
    record.put("meanLossNatsPer100Steps", means(trainer.lossesNats(), 100));
    return record;
  }

  private Map<String, Object> validation(Backend backend, List<Path> files, Progress told)
      throws IOException {
    Gpt2 trained = Gpt2.load(out, backend);
    Map<String, Object> results = new LinkedHashMap<>();
    List<String> all = new ArrayList<>();
    for (Path file : files) {
      List<String> documents =
          TextCorpus.documents(TextFiles.read(file));
      all.addAll(documents);
      results.put(
          String.valueOf(file.getFileName()), loss(TextLoss.of(trained, documents, context, told)));
    }
    results.put("all", loss(TextLoss.of(trained, all, context, told)));
    return results;
  }

  private static Map<String, Object> loss(TextLoss loss) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("bitsPerByte", loss.bitsPerByte());
    json.put("natsPerToken", loss.natsPerToken());
    json.put("tokens", loss.predicted());
    json.put("utf8Bytes", loss.utf8Bytes());
    return json;
  }

  private static Map<String, String> hashes(List<Path> files) throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    for (Path file : files) {
      hashes.put(String.valueOf(file.getFileName()), "sha256:" + FileHash.sha256(file));
    }
    return hashes;
  }

  private static List<Double> means(List<Double> values, int group) {
    List<Double> means = new ArrayList<>();
    for (int from = 0; from < values.size(); from += group) {
      List<Double> part = values.subList(from, Math.min(values.size(), from + group));
      double mean = part.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
      means.add(Double.valueOf(String.format(Locale.ROOT, "%.4f", mean)));
    }
    return means;
  }
}
