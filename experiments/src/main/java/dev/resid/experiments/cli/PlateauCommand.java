package dev.resid.experiments.cli;

import dev.resid.experiments.plateau.DensityPool;
import dev.resid.experiments.plateau.PlateauOptions;
import dev.resid.experiments.plateau.PlateauSae;
import dev.resid.experiments.plateau.PlateauStudy;
import dev.resid.experiments.plateau.PlateauVariants;
import dev.resid.experiments.plateau.Regime;
import dev.resid.experiments.plateau.Scale;
import dev.resid.experiments.plateau.StepKind;
import dev.resid.experiments.plateau.TargetKind;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.Pieces;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Backend;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code resid plateau}: plateaus and blow-ups on the way to other activations. */
@Command(
    name = "plateau",
    description = {
      "Move the last token's residual stream to another activation, step by step.",
      "It goes towards real activations, random ones, and ones made of SAE features. When does the",
      "output follow?",
      "Without options it runs the model and the text that ship with Resid."
    },
    footer = {
      "",
      "The folder gets report.html, tables, figures and run.json. Stopped at any moment, the same",
      "command goes on where it was and ends in the same results. To split a run, give every",
      "machine one --shard and its own --out, then use 'resid merge'.",
      "",
      "Examples:",
      "  resid plateau",
      "  resid plateau --prompts 50 --regime relative --out quick",
      "  resid plateau --model models/gpt2 --weights transformerlens --text openwebtext.txt \\",
      "    --out gpt2-plateau"
    })
final class PlateauCommand implements Callable<Integer> {
  /** Base prompts that the embedded model gets through in about two minutes on two cores. */
  private static final int EMBEDDED_PROMPTS = 300;

  private static final int POOL = 20_000;
  private static final String MEAN_NORM = "mean-norm";

  @Spec private CommandSpec spec;
  private Usage usage;
  @Mixin private ModelOptionsMixin model;
  @Mixin private StudyMixin run;

  @ArgGroup private Source source;

  /** Where prompts come from; the text that ships with Resid if nothing is given. */
  private static final class Source {
    @Option(
        names = "--text",
        paramLabel = "FILE",
        description =
            "UTF-8 text; lines of <|endoftext|> stand between documents. The text that ships with"
                + " Resid if left out.")
    private Path text;

    @Option(
        names = "--tokens",
        paramLabel = "FILE",
        description = "Prompts of one length as token ids, JSON [[id, ...], ...].")
    private Path tokens;
  }

  @Option(
      names = "--layer",
      paramLabel = "L",
      description = "Block whose resid_pre is moved; ${DEFAULT-VALUE} if left out, as published.")
  private int layer = PlateauOptions.DEFAULT_LAYER;

  @Option(
      names = "--prompts",
      paramLabel = "N",
      description =
          "Prompts that are moved; 1000 if left out, as published, or 300 of the text that ships"
              + " with Resid; fewer where the text has fewer.")
  private Integer prompts;

  @Option(
      names = "--pool",
      paramLabel = "N",
      description =
          "Prompts that mean, covariance and real activations come from, the first ones of the"
              + " text; ${DEFAULT-VALUE} if left out, or what the text has.")
  private int pool = POOL;

  @Option(
      names = "--prompt-length",
      paramLabel = "N",
      description = "Tokens of a prompt; ${DEFAULT-VALUE} if left out, as published.")
  private int promptLength = PlateauOptions.DEFAULT_LENGTH;

  @Mixin private PlateauSaeMixin sae;

  @Option(
      names = "--targets",
      paramLabel = "LIST",
      split = ",",
      description =
          "What is moved towards: model-generated, random, and with an SAE sae-reconstruction,"
              + " single-feature, bag-of-features, synthetic-baseline, synthetic-structured,"
              + " synthetic-structured-v1. All that are possible but the last if left out.")
  private List<String> targets;

  @Option(
      names = "--bases",
      paramLabel = "LIST",
      split = ",",
      description =
          "Where ways to random activations start; model-generated, random, synthetic-baseline and"
              + " synthetic-structured as far as possible if left out; none for none.")
  private List<String> bases;

  @Option(
      names = "--real-base",
      paramLabel = "WHICH",
      description =
          "A model-generated start is the prompt's own activation (own, the default) or, as in the"
              + " published code, another prompt's (other).")
  private PlateauOptions.RealBase realBase = PlateauOptions.RealBase.OWN;

  @Option(
      names = "--regime",
      paramLabel = "LIST",
      split = ",",
      description = "absolute steps, relative ones, or both (absolute,relative), the default.")
  private List<String> regimes;

  @Option(
      names = "--scale",
      paramLabel = "RULE",
      description =
          "Lengths of steps: published, or scaled by the distances of activations. Published for"
              + " models of GPT-2 small's size, scaled for others if left out.")
  private Scale.Rule scale;

  @Option(
      names = "--step",
      paramLabel = "X",
      description = "Length of an absolute step; published 0.5.")
  private Double step;

  @Option(
      names = "--threshold",
      paramLabel = "X",
      description = "L2 at which a plateau ends; published 20.")
  private Double threshold;

  @Option(
      names = "--feature-value",
      paramLabel = "X",
      description =
          "Value of a single feature; published 37. mean-norm takes the mean norm of the prompts'"
              + " feature values, as an earlier script did.")
  private String featureValue;

  @Option(
      names = "--density-pool",
      paramLabel = "POOL",
      description =
          "What replaces a feature of a synthetic baseline: one of the ten nearest in density"
              + " (nearest, the default), or any whose log10 density differs by less than a number;"
              + " earlier scripts took 0.1 and 0.01.")
  private String densityPool = "nearest";

  @Option(
      names = "--replacements",
      paramLabel = "WHERE",
      description =
          "Replacements of a synthetic baseline go into a fresh vector (fresh, the default) or, as"
              + " in the published code, in-place, where some are lost.")
  private String replacements = "fresh";

  @Option(
      names = "--draft-statistics",
      paramLabel = "LIST",
      split = ",",
      description =
          "Step statistics of earlier scripts, besides the usual ones: ms_l2_draft (one lower),"
              + " nl_l2_draft (10 %%), and of the Jensen-Shannon distance of predictions ms_js,"
              + " nl_js, auc_js.")
  private List<String> drafts = List.of();

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of all random draws; ${DEFAULT-VALUE} if left out, as published.")
  private long seed = PlateauOptions.DEFAULT_SEED;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Prompts at a time; what fits if left out. Results do not depend on it.")
  private Integer batch;

  /** Called by picocli. */
  PlateauCommand() {}

  @Override
  public Integer call() throws IOException {
    usage = new Usage(spec);
    usage.requireAtLeast("--prompts", prompts, 1);
    usage.requireAtLeast("--pool", pool, 2);
    usage.requireAtLeast("--prompt-length", promptLength, 1);
    usage.requireAtLeast("--batch", batch, 1);
    usage.requireAtLeast("--layer", layer, 0);
    List<Regime> spacings = usage.named(regimes, Regime::of, List.of(Regime.values()));
    usage.of(this::variants);
    usage.of(() -> kinds(targets, List.of()));
    usage.of(() -> kinds(bases, List.of()));
    return run.run(spec, PlateauStudy.COMMAND, backend -> study(backend, spacings));
  }

  private PlateauStudy study(Backend backend, List<Regime> spacings) throws IOException {
    Gpt2 gpt2 = model.load(backend);
    TokenBatch tokens = tokens(gpt2);
    Scale lengths = usage.of(() -> scale(gpt2.config()));
    Optional<PlateauSae> features = sae.load(gpt2, model, layer);
    return new PlateauStudy(
        gpt2,
        new PlateauOptions(
            tokens,
            sourceName(),
            layer,
            prompts(tokens),
            kinds(targets, TargetKind.usual(features)),
            kinds(bases, TargetKind.usualBases(features)),
            realBase,
            features,
            spacings,
            lengths,
            variants(),
            seed,
            batch == null ? 0 : batch));
  }

  private PlateauVariants variants() {
    return new PlateauVariants(
        DensityPool.parse(densityPool),
        PlateauVariants.Placing.of(replacements),
        MEAN_NORM.equals(featureValue)
            ? PlateauVariants.FeatureValue.MEAN_NORM
            : PlateauVariants.FeatureValue.SCALE,
        drafts.stream().map(StepKind::of).toList());
  }

  private OptionalDouble featureValue() {
    if (featureValue == null || featureValue.equals(MEAN_NORM)) {
      return OptionalDouble.empty();
    }
    try {
      return OptionalDouble.of(Double.parseDouble(featureValue));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "--feature-value is a number or mean-norm, got \"" + featureValue + "\"", e);
    }
  }

  private static List<TargetKind> kinds(List<String> words, List<TargetKind> all) {
    if (words == null) {
      return all;
    }
    return words.equals(List.of("none")) ? List.of() : words.stream().map(TargetKind::of).toList();
  }

  private TokenBatch tokens(Gpt2 gpt2) throws IOException {
    if (source != null && source.tokens != null) {
      TokenBatch all = TokenBatch.readJson(source.tokens);
      return all.slice(0, Math.min(all.rows(), pool));
    }
    try (Documents documents =
        source == null ? Documents.embedded() : Documents.open(source.text)) {
      return Pieces.cut(documents, gpt2.tokenizer(), promptLength, pool);
    }
  }

  private int prompts(TokenBatch tokens) {
    if (prompts != null) {
      return prompts;
    }
    int wanted = source == null ? EMBEDDED_PROMPTS : PlateauOptions.DEFAULT_PROMPTS;
    return Math.min(wanted, tokens.rows());
  }

  private Scale scale(Gpt2Config config) {
    Scale.Rule rule = scale == null ? Scale.Rule.usual(config) : scale;
    return new Scale(rule, optional(step), optional(threshold), featureValue());
  }

  private static OptionalDouble optional(Double value) {
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  /** Returns the file's name without its folder, which differs between machines. */
  private String sourceName() {
    if (source == null) {
      return "embedded passages";
    }
    return (source.text != null ? source.text : source.tokens).getFileName().toString();
  }
}
