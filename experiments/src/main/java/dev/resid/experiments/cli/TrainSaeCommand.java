package dev.resid.experiments.cli;

import dev.resid.experiments.result.FolderLock;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.sae.io.SaeCheckpoint;
import dev.resid.sae.train.BloomLoss;
import dev.resid.sae.train.SaeLoss;
import dev.resid.sae.train.SaeObjective;
import dev.resid.sae.train.SaeTrainer;
import dev.resid.sae.train.SaeTrainingPlan;
import dev.resid.sae.train.TopKLoss;
import dev.resid.tensor.Backend;
import dev.resid.train.LearningRate;
import dev.resid.train.TextCorpus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid train sae}: a sparse autoencoder on an activation of a model. */
@Command(
    name = "sae",
    description = {
      "Train a sparse autoencoder on the activations of a model.",
      "OUT becomes an SAE folder as SAELens writes it, with training.json beside: the command,"
          + " hashes of the data and the curve. The same command goes on from OUT/checkpoint after"
          + " an interruption and ends in the same bits as a run without one; a finished SAE does"
          + " not need that folder."
    },
    footer = {
      "",
      "Objectives: local (error of the reconstruction), e2e (KL of the model's output), downstream"
          + " (KL and errors at every later block), bloom (error by norm, unit decoder rows, ghost"
          + " gradients), each with an L1 penalty of --sparsity; topk (error from the --k largest"
          + " features, auxiliary loss of dead ones).",
      "",
      "Example:",
      "  resid train sae --objective local --hook blocks.3.hook_resid_pre --text texts/ \\",
      "    --sparsity 1 --out my-sae"
    })
final class TrainSaeCommand implements Callable<Integer> {
  /** What training can make small. */
  enum Objective {
    /** The reconstruction itself. */
    LOCAL,
    /** The output distribution. */
    E2E,
    /** The output distribution and the stream at every later block. */
    DOWNSTREAM,
    /** The reconstruction as in gpt2-small-res-jb: unit decoder rows and ghost gradients. */
    BLOOM,
    /** The reconstruction from a fixed number of features, with an auxiliary loss. */
    TOPK;

    /** Returns the name as it is typed; help and messages of picocli show it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Share of the peak learning rate at the end, as in the end-to-end paper. */
  private static final double FINAL_FRACTION = 0.1;

  /** Activations that are shuffled together: their order takes half a gigabyte. */
  private static final long MOST_IN_BUFFER = 1L << 27;

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;
  @Mixin private TrainingMixin training;

  @Option(
      names = "--objective",
      required = true,
      paramLabel = "NAME",
      description = "What is made small: local, e2e, downstream, bloom or topk.")
  private Objective objective;

  @Option(
      names = "--hook",
      required = true,
      paramLabel = "POINT",
      description = "Activation of width d_model, for example blocks.3.hook_resid_pre.")
  private String hook;

  @Option(
      names = "--sparsity",
      paramLabel = "X",
      description =
          "Weight of the L1 penalty, the mean L1 norm of a token's features over d_model (for"
              + " bloom: the mean L1 norm); needed for every objective but topk.")
  private Double sparsity;

  @Option(
      names = "--k",
      paramLabel = "N",
      description = "Features kept for a token; needed for topk.")
  private Integer k;

  @Option(
      names = "--dead-after",
      paramLabel = "TOKENS",
      description =
          "Tokens without activity after which bloom and topk call a feature dead; a tenth of"
              + " --tokens if left out.")
  private Long deadAfter;

  @Option(
      names = "--buffer",
      paramLabel = "ROWS",
      description =
          "Rows whose activations are shuffled together (not for e2e and downstream);"
              + " ${DEFAULT-VALUE} if left out. Above 1 GiB they lie in a file in OUT/checkpoint.")
  private int buffer = 512;

  @Option(
      names = "--features",
      paramLabel = "N",
      description = "Features; four times d_model if left out.")
  private Integer features;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Tokens to train on; ${DEFAULT-VALUE} if left out.")
  private long tokens = 1_000_000;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Tokens a row; ${DEFAULT-VALUE} if left out.")
  private int context = 128;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "Peak learning rate; ${DEFAULT-VALUE} if left out.")
  private double learningRate = 1e-3;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      description = "Steps of linear warm-up; a twentieth of all if left out.")
  private Integer warmup;

  /** Called by picocli. */
  TrainSaeCommand() {}

  @Override
  public Integer call() throws IOException {
    HookPoint point = point();
    requireOptions();
    training.requireFolder();
    training.findText();
    Instant start = Instant.now();
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      train(plan(point, gpt2.config()), gpt2, start);
    }
    spec.commandLine().getOut().println("Wrote the SAE to " + training.out());
    return ResidCommand.OK;
  }

  private void train(SaeTrainingPlan plan, Gpt2 gpt2, Instant start) throws IOException {
    Path out = training.out();
    Path checkpoint = training.checkpoint();
    TextCorpus corpus = training.corpus(gpt2.tokenizer(), context);
    TrainingMixin.requireRoom("the SAE", 2.0 * plan.dSae() * gpt2.config().dModel());
    try (FolderLock _ = training.lock();
        SaeTrainer trainer = SaeTrainer.startOrResume(plan, gpt2, corpus, checkpoint)) {
      trainer.passedOver().ifPresent(training::tell);
      trainer.run(checkpoint, training.every(), progress.progress());
      SaeCheckpoint.save(
          trainer.config(String.valueOf(out.toAbsolutePath().getFileName())),
          trainer.weights(),
          training.dtype(),
          out);
      new SaeTrainingRecord(training.command(), plan, gpt2, corpus, training.files(), start)
          .ended(trainer.curve())
          .write(out);
    }
  }

  private HookPoint point() {
    HookPoint point;
    try {
      point = HookPoint.parse(hook);
    } catch (IllegalArgumentException e) {
      throw training.wrong("--hook: " + e.getMessage());
    }
    boolean stream =
        switch (point.site()) {
          case RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT -> true;
          default -> false;
        };
    if (!stream) {
      throw training.wrong(
          "--hook is "
              + hook
              + ", must be an activation of width d_model in a block, for example "
              + new HookPoint(Site.RESID_PRE, 3));
    }
    return point;
  }

  private void requireOptions() {
    training.requireOptions(learningRate, context);
    training.requireProduct("--buffer times --context", buffer, context, MOST_IN_BUFFER);
    if (features != null) {
      training.requireAtLeast("--features", features, 1);
    }
    if (tokens < 1 || steps() > Integer.MAX_VALUE) {
      throw training.wrong("--tokens is " + tokens + ", must be at least 1 and at most 2^31 steps");
    }
    boolean topK = objective == Objective.TOPK;
    if (topK != (k != null) || topK == (sparsity != null)) {
      throw training.wrong(
          topK
              ? "--objective topk needs --k, and no --sparsity"
              : "--objective " + objective + " needs --sparsity, and no --k");
    }
    if (sparsity != null && (!(sparsity >= 0) || Double.isInfinite(sparsity))) {
      throw training.wrong("--sparsity is " + sparsity + ", must be a number of at least 0");
    }
    if (deadAfter != null && deadAfter < 1) {
      throw training.wrong("--dead-after is " + deadAfter + ", must be at least 1");
    }
    training.requireAtLeast("--buffer", buffer, 1);
    if (warmup != null && (warmup < 0 || warmup >= steps())) {
      throw training.wrong(
          "--warmup is " + warmup + ", must be from 0 to below the steps, " + steps());
    }
  }

  private long steps() {
    long perStep = (long) training.batch() * context;
    return (tokens + perStep - 1) / perStep;
  }

  private SaeTrainingPlan plan(HookPoint point, Gpt2Config config) {
    if (point.layer() >= config.nLayers()) {
      throw training.wrong("--hook is " + hook + ", the model has " + config.nLayers() + " blocks");
    }
    if (context > config.nCtx()) {
      throw training.wrong(
          "--context is " + context + ", the model has " + config.nCtx() + " positions");
    }
    if (objective == Objective.DOWNSTREAM && point.layer() + 1 >= config.nLayers()) {
      throw training.wrong("--objective downstream needs a block after " + hook + "; use e2e");
    }
    int steps = (int) steps();
    LearningRate rate =
        new LearningRate(learningRate, warmup == null ? steps / 20 : warmup, steps, FINAL_FRACTION);
    int dSae = features == null ? 4 * config.dModel() : features;
    if (k != null && (k < 1 || k > dSae)) {
      throw training.wrong("--k is " + k + ", must be from 1 to the number of features, " + dSae);
    }
    SaeTrainingPlan plan =
        SaeTrainingPlan.of(
            point, dSae, loss(point, config), rate, training.batch(), context, training.seed());
    return plan.withBufferRows(buffer);
  }

  private SaeObjective loss(HookPoint point, Gpt2Config config) {
    long dead = deadAfter == null ? Math.max(1, tokens / 10) : deadAfter;
    return switch (objective) {
      case LOCAL -> SaeLoss.local(sparsity);
      case E2E -> SaeLoss.endToEnd(sparsity);
      case DOWNSTREAM -> SaeLoss.downstream(point, config.nLayers(), sparsity);
      case BLOOM -> BloomLoss.published(sparsity).withDeadAfter(dead);
      case TOPK -> TopKLoss.published(k).withDeadAfter(dead);
    };
  }
}
