package dev.resid.experiments.cli;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.io.AtomicFiles;
import dev.resid.io.DType;
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
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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

  @Spec private CommandSpec spec;
  @Mixin private ModelOptionsMixin model;
  @Mixin private BackendOptionsMixin backends;
  @Mixin private ProgressMixin progress;

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
      names = "--text",
      required = true,
      arity = "1..*",
      paramLabel = "FILE",
      description = "UTF-8 text to train on: files, and folders of .txt files.")
  private List<Path> text = new ArrayList<>();

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "Folder to write.")
  private Path out;

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
      names = "--batch",
      paramLabel = "ROWS",
      description = "Rows a step; ${DEFAULT-VALUE} if left out.")
  private int batch = 8;

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
  private TrainGpt2Command.Dtype dtype = TrainGpt2Command.Dtype.F32;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of weights and order; ${DEFAULT-VALUE} if left out.")
  private long seed = 1;

  /** Called by picocli. */
  TrainSaeCommand() {}

  @Override
  public Integer call() throws IOException {
    HookPoint point = point();
    requireOptions();
    Path checkpoint = out.resolve("checkpoint");
    requireFolder(checkpoint);
    List<Path> files = TextFiles.expand(text);
    Instant start = Instant.now();
    try (Backend backend = backends.open()) {
      Gpt2 gpt2 = model.load(backend);
      SaeTrainingPlan plan = plan(point, gpt2.config());
      TextCorpus corpus = TextCorpus.read(files, gpt2.tokenizer());
      if (corpus.rows(context) < 1) {
        throw new IOException(
            "the text has "
                + corpus.tokens()
                + " tokens, too few for one row of "
                + context
                + "; give more text, or a smaller --context.");
      }
      try (SaeTrainer trainer = SaeTrainer.startOrResume(plan, gpt2, corpus, checkpoint)) {
        trainer.run(checkpoint, every, progress.progress());
        SaeCheckpoint.save(
            trainer.config(String.valueOf(out.toAbsolutePath().getFileName())),
            trainer.weights(),
            DType.valueOf(dtype.name()),
            out);
        AtomicFiles.write(
            out.resolve("training.json"),
            new SaeTrainingRecord(command(), plan, gpt2, corpus, files, start)
                .json(trainer.curve()));
      }
    }
    spec.commandLine().getOut().println("Wrote the SAE to " + out);
    return ResidCommand.OK;
  }

  private String command() {
    List<String> args = spec.root().commandLine().getParseResult().originalArgs();
    return "resid " + String.join(" ", args);
  }

  private HookPoint point() {
    HookPoint point;
    try {
      point = HookPoint.parse(hook);
    } catch (IllegalArgumentException e) {
      throw wrong("--hook: " + e.getMessage());
    }
    boolean stream =
        switch (point.site()) {
          case RESID_PRE, RESID_MID, RESID_POST, ATTN_OUT, MLP_OUT -> true;
          default -> false;
        };
    if (!stream) {
      throw wrong(
          "--hook is "
              + hook
              + ", must be an activation of width d_model in a block, for example "
              + new HookPoint(Site.RESID_PRE, 3));
    }
    return point;
  }

  private void requireOptions() {
    requireAtLeast("--context", context, 2);
    requireAtLeast("--batch", batch, 1);
    requireAtLeast("--checkpoint-every", every, 1);
    if (features != null) {
      requireAtLeast("--features", features, 1);
    }
    if (tokens < 1 || steps() > Integer.MAX_VALUE) {
      throw wrong("--tokens is " + tokens + ", must be at least 1 and at most 2^31 steps");
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw wrong("--learning-rate is " + learningRate + ", must be a number above 0");
    }
    boolean topK = objective == Objective.TOPK;
    if (topK != (k != null) || topK == (sparsity != null)) {
      throw wrong(
          topK
              ? "--objective topk needs --k, and no --sparsity"
              : "--objective " + objective + " needs --sparsity, and no --k");
    }
    if (sparsity != null && (!(sparsity >= 0) || Double.isInfinite(sparsity))) {
      throw wrong("--sparsity is " + sparsity + ", must be a number of at least 0");
    }
    if (deadAfter != null && deadAfter < 1) {
      throw wrong("--dead-after is " + deadAfter + ", must be at least 1");
    }
    requireAtLeast("--buffer", buffer, 1);
    if (warmup != null && (warmup < 0 || warmup >= steps())) {
      throw wrong("--warmup is " + warmup + ", must be from 0 to below the steps, " + steps());
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

  private long steps() {
    long perStep = (long) batch * context;
    return (tokens + perStep - 1) / perStep;
  }

  /** Refuses a folder that cannot be written or that holds an SAE of somebody else's. */
  private void requireFolder(Path checkpoint) throws IOException {
    OutputPaths.requireFolder(out);
    for (String name : List.of("sae_weights.safetensors", "cfg.json")) {
      if (Files.exists(out.resolve(name)) && !Files.isDirectory(checkpoint)) {
        throw new FileAlreadyExistsException(out.resolve(name).toString());
      }
    }
  }

  private SaeTrainingPlan plan(HookPoint point, Gpt2Config config) {
    if (point.layer() >= config.nLayers()) {
      throw wrong("--hook is " + hook + ", the model has " + config.nLayers() + " blocks");
    }
    if (context > config.nCtx()) {
      throw wrong("--context is " + context + ", the model has " + config.nCtx() + " positions");
    }
    if (objective == Objective.DOWNSTREAM && point.layer() + 1 >= config.nLayers()) {
      throw wrong("--objective downstream needs a block after " + hook + "; use e2e");
    }
    int steps = (int) steps();
    LearningRate rate =
        new LearningRate(learningRate, warmup == null ? steps / 20 : warmup, steps, FINAL_FRACTION);
    int dSae = features == null ? 4 * config.dModel() : features;
    if (k != null && (k < 1 || k > dSae)) {
      throw wrong("--k is " + k + ", must be from 1 to the number of features, " + dSae);
    }
    SaeTrainingPlan plan =
        SaeTrainingPlan.of(point, dSae, loss(point, config), rate, batch, context, seed);
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
