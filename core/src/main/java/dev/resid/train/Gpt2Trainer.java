package dev.resid.train;

import dev.resid.io.DType;
import dev.resid.io.Safetensors;
import dev.resid.io.SafetensorsWriter;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config.Embeddings;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Seed;
import dev.resid.model.Tape;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.progress.Progress;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Trains a GPT-2 from scratch: AdamW, warm-up and cosine schedule, gradient clipping. The rows of a
 * step depend only on the plan and the step, and a checkpoint holds weights, both moments and the
 * losses so far; so a run that is stopped and resumed ends in the same bits as one that was not.
 */
public final class Gpt2Trainer {
  private static final String TEXT = "text";
  private static final String LOSSES = "losses";

  private final TrainingPlan plan;
  private final Backend backend;
  private final TextCorpus corpus;
  private final String textSha256;
  private final AdamW optimizer;
  private final Gpt2 gpt2;
  private final Map<Weight, Tensor> gradients = new HashMap<>();
  private final List<Double> losses = new ArrayList<>();
  private Optional<String> passedOver = Optional.empty();

  private Gpt2Trainer(TrainingPlan plan, TextCorpus corpus, Backend backend) {
    this.plan = plan;
    this.corpus = corpus;
    this.textSha256 = corpus.sha256();
    this.backend = backend;
    this.optimizer = new AdamW(backend);
    Gpt2Weights initial = Gpt2Weights.random(plan.model(), plan.seed());
    for (Weight weight : Weight.all(plan.model())) {
      boolean absent =
          weight.name() == WeightNames.b_U
              || (weight.name() == WeightNames.W_U && plan.model().embeddings() == Embeddings.TIED);
      if (!absent) {
        Tensor parameter = backend.allocate(weight.name().shape(plan.model()));
        backend.copy(initial.get(weight), parameter);
        optimizer.add(weight, parameter, decays(weight.name()) ? plan.weightDecay() : 0);
        gradients.put(weight, backend.allocate(parameter.shape()));
      }
    }
    this.gpt2 = Gpt2.of(weights(), backend);
  }

  /**
   * Returns a trainer at the start of a plan, or where a checkpoint of the same plan left off.
   *
   * @param plan what to do
   * @param corpus text to train on
   * @param backend where it runs
   * @param dir folder of the checkpoint; need not exist
   * @throws IOException if checkpoints are there but every one is damaged
   * @throws IllegalArgumentException if a checkpoint is there but belongs to another plan or text
   */
  public static Gpt2Trainer startOrResume(
      TrainingPlan plan, TextCorpus corpus, Backend backend, Path dir) throws IOException {
    Gpt2Trainer trainer = new Gpt2Trainer(plan, corpus, backend);
    CheckpointFile checkpoint = new CheckpointFile(dir);
    if (checkpoint.exists()) {
      trainer.load(checkpoint);
      trainer.passedOver = checkpoint.passedOver();
    }
    return trainer;
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
    return optimizer.step();
  }

  /** Returns whether all steps are done. */
  public boolean isDone() {
    return step() >= plan.rate().totalSteps();
  }

  /** Returns the mean cross-entropy of every step's rows before its update, in nats a token. */
  public List<Double> lossesNats() {
    return List.copyOf(losses);
  }

  /** Returns the current weights, copied from the backend when read. */
  public Gpt2Weights weights() {
    Map<Weight, Tensor> tensors = new HashMap<>();
    optimizer.slots().forEach((weight, slot) -> tensors.put(weight, slot.parameter()));
    return Gpt2Weights.of(plan.model(), tensors);
  }

  /** Returns the model with the current weights; the next step changes it. */
  public Gpt2 model() {
    return gpt2;
  }

  /**
   * Makes one step and returns the mean cross-entropy of its rows before the update, in nats.
   *
   * @throws IllegalStateException if the plan is done, or the loss is not a number any more
   */
  public double advance() {
    if (isDone()) {
      throw new IllegalStateException("all " + step() + " steps of the plan are done");
    }
    TokenBatch rows = corpus.batch(step(), plan.batchRows(), plan.rowLength(), plan.seed());
    double loss;
    gradients.values().forEach(backend::clear);
    try (Tape tape = gpt2.record(rows)) {
      loss = tape.meanCrossEntropyNats();
      tape.addWeightGradients(gradients, Seed.crossEntropy());
    }
    if (!Double.isFinite(loss)) {
      throw new IllegalStateException(
          "the loss at step "
              + (step() + 1)
              + " is "
              + loss
              + "; training diverged, lower the learning rate");
    }
    optimizer.update(gradients, plan);
    gpt2.update(weights());
    losses.add(loss);
    return loss;
  }

  /**
   * Makes all remaining steps, writing a checkpoint every so many and at the end.
   *
   * @param dir folder of the checkpoint
   * @param every at most so many steps between checkpoints; see {@link CheckpointTimer}
   * @param progress told tokens
   * @throws IOException if a checkpoint cannot be written; the newest so far stays
   */
  public void run(Path dir, int every, Progress progress) throws IOException {
    long perStep = (long) plan.batchRows() * plan.rowLength();
    long total = plan.rate().totalSteps() * perStep;
    try (Progress.Task task = progress.begin("training", "tokens", step() * perStep, total)) {
      double smooth = Double.NaN;
      CheckpointTimer timer = new CheckpointTimer(every);
      while (!isDone()) {
        double loss = advance();
        smooth = Double.isNaN(smooth) ? loss : 0.98 * smooth + 0.02 * loss;
        task.detail(
            String.format(
                Locale.ROOT, "step %d/%d loss %.3f", step(), plan.rate().totalSteps(), smooth));
        task.advanceTo(step() * perStep);
        if (isDone()) {
          save(dir);
        } else {
          timer.saveIfDue(step(), () -> save(dir));
        }
      }
    }
  }

  /**
   * Writes a checkpoint; the newest so far becomes the one before.
   *
   * @param dir folder of the checkpoint, made if missing
   * @throws IOException if it cannot be written
   */
  public void save(Path dir) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter().metadata(TEXT, textSha256);
    CheckpointFile.putNumbers(
        writer, LOSSES, losses.stream().map(loss -> new double[] {loss}).toList());
    optimizer
        .slots()
        .forEach(
            (weight, slot) -> {
              writer.add("parameter." + weight.lensName(), slot.parameter(), DType.F32);
              writer.add("moment1." + weight.lensName(), slot.moment1(), DType.F32);
              writer.add("moment2." + weight.lensName(), slot.moment2(), DType.F32);
            });
    new CheckpointFile(dir).write(writer, plan.fingerprint(), step());
  }

  private void load(CheckpointFile checkpoint) throws IOException {
    try (Safetensors file = checkpoint.open(plan.fingerprint())) {
      checkpoint.require(file, TEXT, textSha256, "text or tokenizer");
      for (Map.Entry<Weight, AdamW.Slot> entry : optimizer.slots().entrySet()) {
        String name = entry.getKey().lensName();
        AdamW.Slot slot = entry.getValue();
        backend.copy(file.tensor("parameter." + name, slot.parameter().shape()), slot.parameter());
        backend.copy(file.tensor("moment1." + name, slot.moment1().shape()), slot.moment1());
        backend.copy(file.tensor("moment2." + name, slot.moment2().shape()), slot.moment2());
      }
      optimizer.resumeAfter(checkpoint.step(file));
      checkpoint.numbers(file, LOSSES, 1).forEach(loss -> losses.add(loss[0]));
    }
    gpt2.update(weights());
  }

  private static boolean decays(WeightNames name) {
    return switch (name) {
      case W_E, W_U, W_Q, W_K, W_V, W_O, W_in, W_out -> true;
      default -> false;
    };
  }
}
