package dev.resid.sae.train;

import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.BeginningOfText;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.CheckpointFile;
import dev.resid.train.CheckpointTimer;
import dev.resid.train.TextCorpus;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Trains an SAE on a model: Adam, warm-up and cosine schedule, gradient clipping. What a step sees
 * depends only on the plan and the step, and a checkpoint holds parameters, both moments, the
 * features' last activity and the curve so far; so a run that is stopped and resumed ends in the
 * same bits as one that was not.
 */
public final class SaeTrainer implements Closeable {
  /** Tokens without activity after which a feature counts as dead. */
  public static final long DEAD_TOKENS = 100_000;

  private static final String TEXT = "text";
  private static final String MODEL = "model";
  private static final String CURVE = "curve";
  private static final String IDLE = "idle_tokens";
  private static final int START_ROWS = 32;

  /** Logits, and features, that a pass may hold, which bounds its rows. */
  private static final long NUMBERS_PER_PASS = 1L << 23;

  private final SaeTrainingPlan plan;
  private final Gpt2 gpt2;
  private final Backend backend;
  private final TextCorpus corpus;
  private final String textSha256;
  private final ActivationStream stream;
  private final Learner learner;
  private final FeatureActivity activity;
  private final List<SaeTrainingStep> curve = new ArrayList<>();
  private long step;
  private Optional<String> passedOver = Optional.empty();

  private SaeTrainer(
      SaeTrainingPlan plan,
      Gpt2 gpt2,
      TextCorpus corpus,
      ActivationStream stream,
      Map<SaeWeight, Tensor> initial) {
    this.plan = plan;
    this.gpt2 = gpt2;
    this.backend = gpt2.backend();
    this.corpus = corpus;
    this.textSha256 = corpus.sha256();
    this.stream = stream;
    this.activity = new FeatureActivity(plan.dSae());
    this.learner =
        switch (plan.loss()) {
          case SaeLoss loss -> new ApolloLearner(backend, initial, loss);
          case BloomLoss loss -> new BloomLearner(backend, initial, loss);
          case TopKLoss loss -> new TopKLearner(backend, initial, loss);
        };
  }

  /**
   * Returns a trainer at the start of a plan, or where a checkpoint of the same plan left off.
   *
   * @param plan what to do
   * @param gpt2 the model; its activation at the plan's point must be [batch, pos, d_model]
   * @param corpus text to train on
   * @param dir folder of the checkpoint; need not exist
   * @throws IOException if checkpoints are there but every one is damaged
   * @throws IllegalArgumentException if the model lacks the plan's point or context, or a
   *     checkpoint is there but belongs to another plan, text or model
   */
  public static SaeTrainer startOrResume(
      SaeTrainingPlan plan, Gpt2 gpt2, TextCorpus corpus, Path dir) throws IOException {
    requireFit(plan, gpt2);
    ActivationStream stream = ActivationStream.of(gpt2, corpus, plan, dir);
    CheckpointFile checkpoint = new CheckpointFile(dir);
    int width = gpt2.config().dModel();
    InitialWeights weights = new InitialWeights(width, plan.dSae(), plan.seed());
    if (!checkpoint.exists()) {
      return new SaeTrainer(plan, gpt2, corpus, stream, initial(plan, weights, gpt2, corpus));
    }
    SaeTrainer trainer = new SaeTrainer(plan, gpt2, corpus, stream, weights.zeros());
    trainer.load(checkpoint);
    trainer.passedOver = checkpoint.passedOver();
    return trainer;
  }

  private static void requireFit(SaeTrainingPlan plan, Gpt2 gpt2) {
    int layers = gpt2.config().nLayers();
    if (plan.point().layer() >= layers) {
      throw new IllegalArgumentException(
          "the SAE belongs at " + plan.point() + ", the model has the blocks 0 to " + (layers - 1));
    }
    boolean stream =
        switch (plan.point().site()) {
          case RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT -> true;
          default -> false;
        };
    if (!stream) {
      throw new IllegalArgumentException(
          "an SAE at " + plan.point() + " cannot be trained, only where activations have d_model");
    }
    if (plan.rowLength() > gpt2.config().nCtx()) {
      throw new IllegalArgumentException(
          "row length is " + plan.rowLength() + ", the model's context is " + gpt2.config().nCtx());
    }
  }

  /** Returns where the parameters start; b_dec at the mean, or median, of activations. */
  private static Map<SaeWeight, Tensor> initial(
      SaeTrainingPlan plan, InitialWeights weights, Gpt2 gpt2, TextCorpus corpus) {
    TokenBatch rows = corpus.batch(0, START_ROWS, plan.rowLength(), plan.seed());
    float[] x = gpt2.capture(rows, plan.point().capture()).get(plan.point()).toArray();
    int width = gpt2.config().dModel();
    return switch (plan.loss()) {
      case SaeLoss loss -> weights.tied(2.0 * width / plan.dSae(), GeometricMedian.mean(x, width));
      case BloomLoss loss -> weights.kaiming(GeometricMedian.of(x, width));
      case TopKLoss loss -> weights.tied(1, GeometricMedian.of(x, width));
    };
  }

  /**
   * Returns a sentence about a damaged checkpoint that was passed over in favour of the one before,
   * which makes no difference to the result; empty if there was none.
   */
  public Optional<String> passedOver() {
    return passedOver;
  }

  /** Returns the number of steps done. */
  public long step() {
    return step;
  }

  /** Returns whether all steps are done. */
  public boolean isDone() {
    return step >= plan.rate().totalSteps();
  }

  /** Returns what every step saw before its update. */
  public List<SaeTrainingStep> curve() {
    return List.copyOf(curve);
  }

  /** Returns the current parameters, decoder rows of unit norm. */
  public SaeWeights weights() {
    return new SaeWeights(learner.published());
  }

  /**
   * Returns the current SAE.
   *
   * @param name what it is called in tables and errors
   */
  public Sae sae(String name) {
    return Sae.of(config(name), weights(), backend);
  }

  /**
   * Returns the facts about the SAE.
   *
   * @param name what it is called in tables and errors
   */
  public SaeConfig config(String name) {
    int width = gpt2.config().dModel();
    TopKLoss topK = plan.loss() instanceof TopKLoss loss ? loss : null;
    return new SaeConfig(
        name,
        topK == null ? Architecture.RELU : Architecture.TOP_K,
        width,
        plan.dSae(),
        width,
        topK == null ? OptionalInt.empty() : OptionalInt.of(topK.k()),
        topK == null ? TopKScale.PLAIN : topK.scale(),
        Normalization.NONE,
        1,
        plan.loss() instanceof SaeLoss ? DecoderBias.ADDED : DecoderBias.SUBTRACTED_AND_ADDED,
        plan.point(),
        plan.point(),
        Optional.of(gpt2.weightsState()),
        new Provenance(
            Optional.of(String.valueOf(Path.of(gpt2.source()).getFileName())),
            OptionalInt.of(plan.rowLength()),
            Optional.of(BeginningOfText.PREPENDED),
            Optional.empty()));
  }

  /**
   * Makes one step and returns what it saw before the update.
   *
   * @throws IllegalStateException if the plan is done, or the loss is not a number any more
   * @throws IOException if a buffer of activations above 1 GiB cannot be written or read
   */
  public SaeTrainingStep advance() throws IOException {
    if (isDone()) {
      throw new IllegalStateException("all " + step + " steps of the plan are done");
    }
    learner.parameters().clearGradients();
    StepSums sums = new StepSums(plan.tokensPerStep());
    if (learner instanceof ApolloLearner spliced && !plan.loss().isLocal()) {
      learnSpliced(spliced, sums);
    } else {
      int count = plan.tokensPerStep();
      learner.learn(stream.read(step * count, count), activity, sums);
    }
    learner.finishGradients();
    double norm = learner.parameters().gradientNorm();
    SaeTrainingStep seen = sums.step(activity.deadShare(DEAD_TOKENS), norm);
    if (!Double.isFinite(seen.loss()) || !Double.isFinite(norm)) {
      throw new IllegalStateException(
          "the loss at step "
              + (step + 1)
              + " is "
              + seen.loss()
              + "; training diverged, lower the learning rate");
    }
    step++;
    AdamStep numbers =
        new AdamStep(plan.rate().at(step), plan.beta1(), plan.beta2(), plan.epsilon(), 0, 1, step);
    learner.parameters().update(numbers, norm, plan.clipNorm());
    learner.afterUpdate();
    curve.add(seen);
    return seen;
  }

  /**
   * Makes all remaining steps, writing a checkpoint every so many and at the end.
   *
   * @param dir folder of the checkpoint
   * @param every at most so many steps between checkpoints; see {@link CheckpointTimer}
   * @param progress told tokens, loss, L0 and dead features
   * @throws IOException if a checkpoint cannot be written; the newest so far stays
   */
  public void run(Path dir, int every, Progress progress) throws IOException {
    long perStep = plan.tokensPerStep();
    long total = plan.rate().totalSteps() * perStep;
    try (Progress.Task task = progress.begin("training", "tokens", step * perStep, total)) {
      CheckpointTimer timer = new CheckpointTimer(every);
      while (!isDone()) {
        SaeTrainingStep seen = advance();
        task.detail(
            String.format(
                Locale.ROOT,
                "step %d/%d loss %.4g L0 %.1f dead %.1f %%",
                step,
                plan.rate().totalSteps(),
                seen.loss(),
                seen.l0(),
                100 * seen.dead()));
        task.advanceTo(step * perStep);
        if (isDone()) {
          save(dir);
        } else {
          timer.saveIfDue(step, () -> save(dir));
        }
      }
    }
  }

  private void learnSpliced(ApolloLearner spliced, StepSums sums) {
    TokenBatch rows = corpus.batch(step, plan.batchRows(), plan.rowLength(), plan.seed());
    SaeLoss loss = (SaeLoss) plan.loss();
    long perRow = (long) plan.rowLength() * Math.max(gpt2.config().dVocab(), plan.dSae());
    int perPass = (int) Math.max(1, Math.min(rows.rows(), NUMBERS_PER_PASS / perRow));
    for (int row = 0; row < rows.rows(); row += perPass) {
      TokenBatch part = rows.slice(row, Math.min(rows.rows(), row + perPass));
      spliced.learn(
          new SplicedRun(gpt2, plan.point(), loss, part, plan.tokensPerStep()), activity, sums);
    }
  }

  /**
   * Writes a checkpoint; the newest so far becomes the one before.
   *
   * @param dir folder of the checkpoint, made if missing
   * @throws IOException if it cannot be written
   */
  public void save(Path dir) throws IOException {
    SafetensorsWriter writer =
        new SafetensorsWriter().metadata(TEXT, textSha256).metadata(MODEL, model());
    CheckpointFile.putNumbers(writer, CURVE, curve.stream().map(SaeTrainer::numbers).toList());
    learner.parameters().save(writer);
    writer.add(IDLE, Shape.of(Axis.D_SAE, plan.dSae()), activity.idleTokens());
    new CheckpointFile(dir).write(writer, plan.fingerprint(), step);
  }

  private String model() {
    return gpt2.config() + " " + gpt2.weightsState().name() + " " + gpt2.sha256();
  }

  private static double[] numbers(SaeTrainingStep seen) {
    return new double[] {
      seen.loss(),
      seen.reconstruction(),
      seen.kl(),
      seen.downstream(),
      seen.sparsity(),
      seen.auxiliary(),
      seen.l0(),
      seen.dead(),
      seen.gradientNorm()
    };
  }

  private void load(CheckpointFile checkpoint) throws IOException {
    try (Safetensors file = checkpoint.open(plan.fingerprint())) {
      checkpoint.require(file, TEXT, textSha256, "text or tokenizer");
      checkpoint.require(file, MODEL, model(), "model");
      learner.parameters().load(file);
      activity.resume(file.ints(IDLE));
      step = checkpoint.step(file);
      for (double[] n : checkpoint.numbers(file, CURVE, 9)) {
        curve.add(new SaeTrainingStep(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]));
      }
    }
    learner.refresh();
  }

  /** Removes the file of a buffer of activations above 1 GiB. */
  @Override
  public void close() throws IOException {
    stream.close();
  }
}
