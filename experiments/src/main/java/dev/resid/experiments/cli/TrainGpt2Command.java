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
import dev.resid.tokenizer.TextDocuments;
import dev.resid.train.Gpt2Trainer;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import dev.resid.train.TextLoss;
import dev.resid.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
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
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code resid train gpt2}: a GPT-2 from scratch. */
@Command(
    name = "gpt2",
    description = {
      "Train a GPT-2 from text.",
      "OUT becomes a model folder: config.json, model.safetensors, the tokenizer, and training.json"
          + " with the command, hashes of the data and the loss curve. The same command goes on"
          + " from OUT/checkpoint after an interruption and ends in the same bits as a run without"
          + " one; a finished model does not need that folder."
    },
    footer = {
      "",
      "A line that holds only <|endoftext|> separates documents.",
      "",
      "Example:",
      "  resid train gpt2 --tokenizer my-tokenizer --text texts/ --steps 1000 --out my-gpt2"
    })
final class TrainGpt2Command implements Callable<Integer> {
  /** Dtypes weights can be written in. */
  enum Dtype {
    /** 32 bits. */
    F32,
    /** 16 bits, IEEE 754. */
    F16,
    /** 16 bits, the upper half of F32. */
    BF16;

    /** Returns the name as it is typed; help and messages of picocli show it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Warm-up where no length is given, unless the run is shorter than ten times that. */
  private static final int USUAL_WARMUP = 200;

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
      arity = "1..*",
      paramLabel = "FILE",
      description = "UTF-8 text to train on: files, and folders of .txt files.")
  private List<Path> text = new ArrayList<>();

  @Option(
      names = "--valid",
      arity = "1..*",
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
      description =
          "Steps of linear warm-up; "
              + USUAL_WARMUP
              + ", or a tenth of --steps if that is less, if left out.")
  private Integer warmup;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "STEPS",
      description =
          "At most so many steps between checkpoints, one of which is written about every half"
              + " minute; ${DEFAULT-VALUE} if left out.")
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
    requireOptions();
    Path checkpoint = out.resolve("checkpoint");
    requireFolder(checkpoint);
    ByteLevelBpe tokenizer = ByteLevelBpe.load(HubFolder.ofTokenizer(tokenizerDir));
    List<Path> files = TextFiles.expand(text);
    Map<Path, List<String>> validTexts = documents(TextFiles.expand(valid));
    LearningRate rate =
        new LearningRate(
            learningRate,
            warmup == null ? Math.min(USUAL_WARMUP, steps / 10) : warmup,
            steps,
            0.05);
    TrainingPlan plan = TrainingPlan.of(config(tokenizer), rate, batch, context, seed);
    Instant start = Instant.now();
    try (Backend backend = backends.open()) {
      TextCorpus corpus = TextCorpus.read(files, tokenizer);
      if (corpus.rows(context) < 1) {
        throw new IOException(
            "the text has "
                + corpus.tokens()
                + " tokens, too few for one row of "
                + context
                + "; give more text, or a smaller --context.");
      }
      Gpt2Trainer trainer = Gpt2Trainer.startOrResume(plan, corpus, backend, checkpoint);
      Progress told = progress.progress();
      trainer.run(checkpoint, every, told);
      Gpt2Checkpoint.save(trainer.weights(), DType.valueOf(dtype.name()), out);
      tokenizer.save(out);
      Map<String, Object> record = record(plan, corpus, trainer, files, start, backend);
      if (!validTexts.isEmpty()) {
        record.put("validation", validation(backend, validTexts, told));
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

  private void requireOptions() {
    requireAtLeast("--layers", layers, 1);
    requireAtLeast("--heads", heads, 1);
    requireAtLeast("--width", width, 1);
    requireAtLeast("--context", context, 2);
    requireAtLeast("--steps", steps, 1);
    requireAtLeast("--batch", batch, 1);
    requireAtLeast("--checkpoint-every", every, 1);
    if (width % heads != 0) {
      throw wrong("--width " + width + " is not a multiple of --heads " + heads);
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw wrong("--learning-rate is " + learningRate + ", must be a number above 0");
    }
    if (warmup != null && (warmup < 0 || warmup >= steps)) {
      throw wrong("--warmup is " + warmup + ", must be from 0 to below --steps " + steps);
    }
  }

  private void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw wrong(option + " is " + value + ", must be at least " + least);
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** Refuses a folder that cannot be written or that holds a model of somebody else's. */
  private void requireFolder(Path checkpoint) throws IOException {
    OutputPaths.requireFolder(out);
    for (String name : List.of("model.safetensors", "config.json")) {
      if (Files.exists(out.resolve(name)) && !Files.isDirectory(checkpoint)) {
        throw new FileAlreadyExistsException(out.resolve(name).toString());
      }
    }
  }

  private static Map<Path, List<String>> documents(List<Path> files) throws IOException {
    Map<Path, List<String>> texts = new LinkedHashMap<>();
    for (Path file : files) {
      List<String> documents = TextDocuments.all(file);
      if (documents.isEmpty()) {
        throw new IOException(file + " holds no text.");
      }
      texts.put(file, documents);
    }
    return texts;
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
    List<String> args = spec.root().commandLine().getParseResult().originalArgs();
    record.put("command", "resid " + String.join(" ", args));
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

  private Map<String, Object> validation(
      Backend backend, Map<Path, List<String>> texts, Progress told) throws IOException {
    Gpt2 trained = Gpt2.load(out, backend);
    Map<String, Object> results = new LinkedHashMap<>();
    List<String> all = new ArrayList<>();
    for (Map.Entry<Path, List<String>> text : texts.entrySet()) {
      all.addAll(text.getValue());
      results.put(
          String.valueOf(text.getKey().getFileName()),
          loss(TextLoss.of(trained, text.getValue(), context, told)));
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
