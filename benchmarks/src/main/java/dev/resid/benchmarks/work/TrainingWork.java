package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2Checkpoint;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.ByteLevelBpe;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.Gpt2Trainer;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import dev.resid.train.TrainingPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A step of training: forward with all logits, cross-entropy, gradients of all weights, clipping,
 * AdamW. The amount is the products alone: three of each weight, of which the update of every
 * weight is no part.
 */
public final class TrainingWork implements Workload {
  /** For a moment's run; the vocabulary is that of the text's tokenizer. */
  public static final Gpt2Config TINY = Gpt2Config.of(2, 2, 16, 4096, 32);

  private static final int STEPS = 1 << 20;
  private static final long SEED = 5;
  private static final int CHECKED_STEPS = 2;
  private static final int CHECKED_LENGTH = 4;
  private static final int CHARACTERS = 200_000;

  private final Gpt2Config config;
  private final int batch;
  private final int pos;
  private final Backend backend;
  private final TextCorpus corpus;
  private final Ours ours;

  /**
   * Generates the text and prepares training.
   *
   * @param config architecture, of at least 4,096 tokens
   * @param batch rows a step
   * @param pos tokens a row
   * @param backend computes
   */
  public TrainingWork(Gpt2Config config, int batch, int pos, Backend backend) {
    this.config = config;
    this.batch = batch;
    this.pos = pos;
    this.backend = backend;
    this.corpus = corpus();
    this.ours = new Ours();
  }

  @Override
  public String name() {
    return "training step, "
        + config.nLayers()
        + " blocks of "
        + config.dModel()
        + ", "
        + batch
        + " x "
        + pos;
  }

  @Override
  public Bound bound() {
    return Bound.FMA;
  }

  @Override
  public double amount() {
    return 3.0
        * batch
        * pos
        * (GeneratedModel.blockFlop(config, config.nLayers())
            + GeneratedModel.unembeddingFlop(config));
  }

  /** Returns the architecture. */
  public Gpt2Config config() {
    return config;
  }

  /** Returns the plan of the steps that are timed. */
  public TrainingPlan plan() {
    return plan(batch, pos);
  }

  /** Returns the plan of the steps whose losses are compared. */
  public TrainingPlan checkedPlan() {
    return plan(1, CHECKED_LENGTH);
  }

  /** Returns how many steps of that plan are made. */
  public int checkedSteps() {
    return CHECKED_STEPS;
  }

  /**
   * Returns the rows of a step.
   *
   * @param plan one of the two
   * @param step from 0
   */
  public TokenBatch rows(TrainingPlan plan, long step) {
    return corpus.batch(step, plan.batchRows(), plan.rowLength(), plan.seed());
  }

  /** Returns the weights that training starts from. */
  public Gpt2Weights initial() {
    return Gpt2Weights.random(config, SEED);
  }

  @Override
  public Ours ours() {
    return ours;
  }

  @Override
  public float[] expected() {
    try (Backend reference = Backends.named("scalar")) {
      return losses(reference);
    }
  }

  // Measured: 2e-7. The second loss depends on the first update.
  @Override
  public double tolerance() {
    return 1e-5;
  }

  private float[] losses(Backend on) {
    Gpt2Trainer trainer = trainer(checkedPlan(), on);
    float[] losses = new float[CHECKED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      losses[i] = (float) trainer.advance();
    }
    return losses;
  }

  private TrainingPlan plan(int rows, int length) {
    return TrainingPlan.of(config, new LearningRate(1e-3, 0, STEPS, 1), rows, length, SEED);
  }

  private Gpt2Trainer trainer(TrainingPlan plan, Backend on) {
    try {
      return Gpt2Trainer.startOrResume(plan, corpus, on, Path.of("no checkpoint"));
    } catch (IOException e) {
      throw new UncheckedIOException("there is no checkpoint to read", e);
    }
  }

  private static TextCorpus corpus() {
    try (Gpt2Checkpoint embedded = Gpt2Checkpoint.embedded()) {
      ByteLevelBpe tokenizer = embedded.tokenizer().orElseThrow();
      Path file = Files.createTempFile("resid-bench", ".txt");
      try {
        Files.writeString(file, EnglishLikeText.ofLength(CHARACTERS));
        return TextCorpus.read(List.of(file), tokenizer);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot generate a text to train on", e);
    }
  }

  /** By the library's trainer. */
  public final class Ours implements Engine {
    private Gpt2Trainer trainer;

    private Ours() {}

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      if (trainer == null) {
        trainer = trainer(plan(), backend);
      }
      trainer.advance();
    }

    @Override
    public float[] sample() {
      return losses(backend);
    }
  }
}
