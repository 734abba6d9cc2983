package dev.resid.experiments.cli;

import dev.resid.experiments.result.FolderLock;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TextDocuments;
import dev.resid.train.Gpt2Trainer;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import dev.resid.train.TrainingPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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
  /** Share of the peak learning rate at the end. */
  private static final double FINAL_FRACTION = 0.05;

  /** Warm-up where no length is given, unless the run is shorter than ten times that. */
  private static final int USUAL_WARMUP = 200;

  @Spec private CommandSpec spec;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;
  @Mixin private TrainingMixin training;

  @Option(
      names = "--tokenizer",
      required = true,
      paramLabel = "DIR",
      description = "Tokenizer folder, for example one that 'resid train tokenizer' made.")
  private Path tokenizerDir;

  @Option(
      names = "--valid",
      arity = "1..*",
      paramLabel = "FILE",
      description = "Text to measure bits per byte on at the end, given like --text.")
  private List<Path> valid = new ArrayList<>();

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

  /** Called by picocli. */
  TrainGpt2Command() {}

  @Override
  public Integer call() throws IOException {
    requireOptions();
    training.requireFolder();
    ByteLevelBpe tokenizer = ByteLevelBpe.load(HubFolder.ofTokenizer(tokenizerDir));
    TrainingMixin.requireRoom(
        "the model", 12.0 * layers * width * width + (double) width * tokenizer.vocabularySize());
    training.findText();
    Map<Path, List<String>> validTexts = documents(TextFiles.expand(valid));
    TrainingPlan plan =
        TrainingPlan.of(config(tokenizer), rate(), training.batch(), context, training.seed());
    Instant start = Instant.now();
    try (Backend backend = backends.open()) {
      TextCorpus corpus = training.corpus(tokenizer, context);
      try (FolderLock _ = training.lock()) {
        Gpt2Trainer trainer =
            Gpt2Trainer.startOrResume(plan, corpus, backend, training.checkpoint());
        trainer.passedOver().ifPresent(training::tell);
        Progress told = progress.progress();
        trainer.run(training.checkpoint(), training.every(), told);
        Gpt2Checkpoint.save(trainer.weights(), training.dtype(), training.out());
        tokenizer.save(training.out());
        new Gpt2TrainingRecord(training, plan, corpus, backend, start)
            .ended(trainer.lossesNats(), validTexts, told)
            .write(training.out());
      }
    }
    spec.commandLine().getOut().println("Wrote the model to " + training.out());
    return ResidCommand.OK;
  }

  private LearningRate rate() {
    return new LearningRate(
        learningRate,
        warmup == null ? Math.min(USUAL_WARMUP, steps / 10) : warmup,
        steps,
        FINAL_FRACTION);
  }

  private void requireOptions() {
    training.requireOptions(learningRate, context);
    training.requireAtLeast("--layers", layers, 1);
    training.requireAtLeast("--heads", heads, 1);
    training.requireAtLeast("--width", width, 1);
    training.requireAtLeast("--steps", steps, 1);
    if (width % heads != 0) {
      throw training.wrong("--width " + width + " is not a multiple of --heads " + heads);
    }
    if (warmup != null && (warmup < 0 || warmup >= steps)) {
      throw training.wrong("--warmup is " + warmup + ", must be from 0 to below --steps " + steps);
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
    return Gpt2Config.of(layers, heads, width, tokenizer.vocabularySize(), context)
        .withSpecialTokens(end, end);
  }
}
