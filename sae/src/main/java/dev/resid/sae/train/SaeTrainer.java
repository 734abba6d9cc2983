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
import dev.resid.sae.SaeWeights;
import dev.resid.tensor.AdamStep;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.StringJoiner;

/**
 * Trains an SAE on a model: Adam, warm-up and cosine schedule, gradient clipping. What a step sees
 * depends only on the plan and the step, and a checkpoint holds parameters, both moments, the
 * features' last activity and the curve so far; so a run that is stopped and resumed ends in the
 * same bits as one that was not.
 */
public final class SaeTrainer {
  /** Tokens without activity after which a feature counts as dead. */
  public static final long DEAD_TOKENS = 100_000;

  private static final String STATE = "state.safetensors";
  private static final String PLAN = "plan";
  private static final String TEXT = "text";
  private static final String MODEL = "model";
  private static final String STEP = "step";
  private static final String CURVE = "curve";
  private static final String IDLE = "idle_tokens";
  private static final int START_ROWS = 32;

  /** Logits a pass may hold, which bounds the rows of a pass. */
  private static final long LOGITS_PER_PASS = 1L << 23;

  private final SaeTrainingPlan plan;
  private final Gpt2 gpt2;
  private final Backend backend;
  private final TextCorpus corpus;
  private final String textSha256;
  private final ActivationStream stream;
  private final ApolloDictionary dictionary;
  private final int[] idleTokens;
  private final List<SaeTrainingStep> curve = new ArrayList<>();
  private long step;

  private SaeTrainer(SaeTrainingPlan plan, Gpt2 gpt2, TextCorpus corpus) {
    this.plan = plan;
    this.gpt2 = gpt2;
    this.backend = gpt2.backend();
    this.corpus = corpus;
    this.textSha256 = corpus.sha256();
    this.stream = ActivationStream.of(gpt2, corpus, plan);
    this.idleTokens = new int[plan.dSae()];
    int width = gpt2.config().dModel();
    this.dictionary =
        new ApolloDictionary(
            backend, ApolloDictionary.initial(width, plan.dSae(), meanActivation(), plan.seed()));
  }

  /**
   * Returns a trainer at the start of a plan, or where a checkpoint of the same plan left off.
   *
   * @param plan what to do
   * @param gpt2 the model; its activation at the plan's point must be [batch, pos, d_model]
   * @param corpus text to train on
   * @param dir folder of the checkpoint; need not exist
   * @throws IOException if a checkpoint is there but damaged
   * @throws IllegalArgumentException if the model lacks the plan's point or context, or a
   *     checkpoint is there but belongs to another plan, text or model
   */
  public static SaeTrainer startOrResume(
      SaeTrainingPlan plan, Gpt2 gpt2, TextCorpus corpus, Path dir) throws IOException {
    SaeTrainer trainer = new SaeTrainer(plan, gpt2, corpus);
    Path state = dir.resolve(STATE);
    if (Files.exists(state)) {
      trainer.load(state);
    }
    return trainer;
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
    return new SaeWeights(dictionary.published());
  }

  /**
   * Returns the current SAE.
   *
   * @param name what it is called in tables and errors
   */
  public Sae sae(String name) {
    int width = gpt2.config().dModel();
    SaeConfig config =
        new SaeConfig(
            name,
            Architecture.RELU,
            width,
            plan.dSae(),
            width,
            OptionalInt.empty(),
            TopKScale.PLAIN,
            Normalization.NONE,
            1,
            DecoderBias.ADDED,
            plan.point(),
            plan.point(),
            Optional.of(gpt2.weightsState()),
            new Provenance(
                Optional.of(gpt2.source()),
                OptionalInt.of(plan.rowLength()),
                Optional.of(BeginningOfText.PREPENDED),
                Optional.empty()));
    return Sae.of(config, weights(), backend);
  }

  /**
   * Makes one step and returns what it saw before the update.
   *
   * @throws IllegalStateException if the plan is done, or the loss is not a number any more
   */
  public SaeTrainingStep advance() {
    if (isDone()) {
      throw new IllegalStateException("all " + step + " steps of the plan are done");
    }
    dictionary.parameters().clearGradients();
    Sums sums = new Sums();
    if (plan.loss().isLocal()) {
      int count = plan.tokensPerStep();
      addLocal(stream.read(step * count, count), sums);
    } else {
      addSpliced(corpus.batch(step, plan.batchRows(), plan.rowLength(), plan.seed()), sums);
    }
    dictionary.finishGradients();
    double norm = dictionary.parameters().gradientNorm();
    SaeTrainingStep seen = sums.step(norm);
    if (!Double.isFinite(seen.loss()) || !Double.isFinite(norm)) {
      throw new IllegalStateException(
          "the loss at step "
              + (step + 1)
              + " is "
              + seen.loss()
              + "; training diverged, lower the learning rate");
    }
    step++;
    double scale = norm > plan.clipNorm() ? plan.clipNorm() / norm : 1;
    dictionary
        .parameters()
        .update(
            new AdamStep(
                plan.rate().at(step), plan.beta1(), plan.beta2(), plan.epsilon(), 0, scale, step));
    dictionary.refresh();
    curve.add(seen);
    return seen;
  }

  /**
   * Makes all remaining steps, writing a checkpoint every so many and at the end.
   *
   * @param dir folder of the checkpoint
   * @param every steps between checkpoints
   * @param progress told tokens, loss, L0 and dead features
   * @throws IOException if a checkpoint cannot be written; the last one stays
   */
  public void run(Path dir, int every, Progress progress) throws IOException {
    long perStep = plan.tokensPerStep();
    long total = plan.rate().totalSteps() * perStep;
    try (Progress.Task task = progress.begin("training", "tokens", step * perStep, total)) {
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
        if (step % every == 0 || isDone()) {
          save(dir);
        }
      }
    }
  }

  /** Sums over the passes of a step. */
  private final class Sums {
    private double squares;
    private double kl;
    private double downstream;
    private double l1;
    private long active;

    SaeTrainingStep step(double norm) {
      SaeLoss loss = plan.loss();
      double tokens = plan.tokensPerStep();
      double width = gpt2.config().dModel();
      double reconstruction = squares / (tokens * width);
      double sparsity = l1 / (tokens * width);
      double total =
          loss.reconstruction() * reconstruction
              + loss.kl() * kl
              + loss.downstream() * downstream
              + loss.sparsity() * sparsity;
      long dead = Arrays.stream(idleTokens).filter(idle -> idle >= DEAD_TOKENS).count();
      return new SaeTrainingStep(
          total,
          reconstruction,
          loss.kl() > 0 ? kl : Double.NaN,
          loss.downstream() > 0 ? downstream : Double.NaN,
          sparsity,
          active / tokens,
          (double) dead / plan.dSae(),
          norm);
    }
  }

  private void addLocal(Tensor x, Sums sums) {
    Tensor features = dictionary.encode(x);
    Tensor reconstruction = backend.allocate(x.shape());
    dictionary.decode(features, reconstruction);
    Tensor gradient = reconstructionGradient(x, reconstruction, sums);
    count(features, sums);
    dictionary.backward(x, features, gradient, l1Gradient());
  }

  private void addSpliced(TokenBatch rows, Sums sums) {
    long logitsPerRow = (long) plan.rowLength() * gpt2.config().dVocab();
    int perPass = (int) Math.max(1, Math.min(rows.rows(), LOGITS_PER_PASS / logitsPerRow));
    for (int row = 0; row < rows.rows(); row += perPass) {
      TokenBatch part = rows.slice(row, Math.min(rows.rows(), row + perPass));
      SplicedRun run = new SplicedRun(gpt2, plan.point(), plan.loss(), part, plan.tokensPerStep());
      Tensor x = run.activation();
      Tensor features = dictionary.encode(x);
      Tensor reconstruction = backend.allocate(x.shape());
      dictionary.decode(features, reconstruction);
      SplicedRun.Terms terms = run.splice(reconstruction);
      sums.kl += terms.kl();
      sums.downstream += terms.downstream();
      Tensor local = reconstructionGradient(x, reconstruction, sums);
      Tensor gradient =
          plan.loss().reconstruction() > 0 ? terms.gradient().plus(local) : terms.gradient();
      count(features, sums);
      dictionary.backward(x, features, gradient, l1Gradient());
    }
  }

  /** Returns the gradient of the weighed MSE at the reconstruction; adds up squares. */
  private Tensor reconstructionGradient(Tensor x, Tensor reconstruction, Sums sums) {
    float[] gradient = reconstruction.toArray();
    float[] target = x.toArray();
    float factor =
        (float)
            (2
                * plan.loss().reconstruction()
                / ((double) plan.tokensPerStep() * gpt2.config().dModel()));
    double squares = 0;
    for (int i = 0; i < gradient.length; i++) {
      double off = (double) gradient[i] - target[i];
      squares += off * off;
      gradient[i] = (float) (factor * off);
    }
    sums.squares += squares;
    return Tensor.wrap(x.shape(), gradient);
  }

  /** Returns the gradient of φ·S with respect to an active feature. */
  private double l1Gradient() {
    return plan.loss().sparsity() / ((double) plan.tokensPerStep() * gpt2.config().dModel());
  }

  private void count(Tensor features, Sums sums) {
    float[] values = features.toArray();
    int dSae = plan.dSae();
    for (int from = 0; from < values.length; from += dSae) {
      for (int i = 0; i < dSae; i++) {
        float value = values[from + i];
        if (value > 0) {
          sums.active++;
          sums.l1 += value;
          idleTokens[i] = 0;
        } else if (idleTokens[i] < DEAD_TOKENS) {
          idleTokens[i]++;
        }
      }
    }
  }

  /** Returns the mean activation over the first rows of the corpus, where b_dec starts. */
  private float[] meanActivation() {
    TokenBatch rows = corpus.batch(0, START_ROWS, plan.rowLength(), plan.seed());
    float[] values = gpt2.capture(rows, plan.point().capture()).get(plan.point()).toArray();
    int width = gpt2.config().dModel();
    double[] sums = new double[width];
    for (int i = 0; i < values.length; i++) {
      sums[i % width] += values[i];
    }
    float[] mean = new float[width];
    for (int c = 0; c < width; c++) {
      mean[c] = (float) (sums[c] / (values.length / width));
    }
    return mean;
  }

  /**
   * Writes a checkpoint, replacing the one before only when it is complete.
   *
   * @param dir folder of the checkpoint, made if missing
   * @throws IOException if it cannot be written
   */
  public void save(Path dir) throws IOException {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .metadata(PLAN, plan.fingerprint())
            .metadata(TEXT, textSha256)
            .metadata(MODEL, model())
            .metadata(STEP, Long.toString(step));
    StringJoiner text = new StringJoiner(" ");
    for (SaeTrainingStep seen : curve) {
      text.add(
          String.join(
              ",", Arrays.stream(numbers(seen)).mapToObj(Double::toString).toArray(String[]::new)));
    }
    writer.metadata(CURVE, text.toString());
    dictionary.parameters().save(writer);
    writer.add(IDLE, Shape.of(Axis.D_SAE, plan.dSae()), idleTokens);
    Files.createDirectories(dir);
    writer.write(dir.resolve(STATE));
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
      seen.l0(),
      seen.dead(),
      seen.gradientNorm()
    };
  }

  private void load(Path state) throws IOException {
    try (Safetensors file = Safetensors.open(state)) {
      Map<String, String> metadata = file.metadata();
      require(state, plan.fingerprint(), metadata.get(PLAN), "training run", "options");
      require(state, textSha256, metadata.get(TEXT), "text or tokenizer", "text");
      require(state, model(), metadata.get(MODEL), "model", "model");
      dictionary.parameters().load(file);
      float[] idle = file.tensor(IDLE, Shape.of(Axis.D_SAE, plan.dSae())).toArray();
      for (int i = 0; i < idle.length; i++) {
        idleTokens[i] = (int) idle[i];
      }
      step = Long.parseLong(metadata.get(STEP));
      String text = metadata.get(CURVE);
      if (!text.isEmpty()) {
        for (String seen : text.split(" ")) {
          double[] n = Arrays.stream(seen.split(",")).mapToDouble(Double::parseDouble).toArray();
          curve.add(new SaeTrainingStep(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]));
        }
      }
    }
    dictionary.refresh();
  }

  private static void require(Path state, String own, String found, String what, String remedy) {
    if (!own.equals(found)) {
      throw new IllegalArgumentException(
          state
              + " belongs to another "
              + what
              + " ("
              + found
              + "); use another folder or the same "
              + remedy);
    }
  }
}
