package dev.resid.experiments.plateau;

import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What is measured, and how the work is done.
 *
 * @param tokens prompts of one length, of which two at least: base prompts are drawn from them, and
 *     so is what real and random activations are made of
 * @param text where the tokens come from, for the report
 * @param layer block whose {@code resid_pre} is perturbed
 * @param prompts how many of the prompts are moved
 * @param targets kinds of targets, none twice
 * @param bases kinds of starts of the second part, none twice; may be empty
 * @param realBase what a model-generated start is
 * @param sae what the kinds that need one are made with
 * @param regimes how points are spaced, none twice
 * @param scale lengths of steps
 * @param variants what differs from the paper
 * @param seed same seed, same numbers
 * @param batchPrompts prompts a call of the model; 0 for what fits; changes no number
 */
public record PlateauOptions(
    TokenBatch tokens,
    String text,
    int layer,
    int prompts,
    List<TargetKind> targets,
    List<TargetKind> bases,
    RealBase realBase,
    Optional<PlateauSae> sae,
    List<Regime> regimes,
    Scale scale,
    PlateauVariants variants,
    long seed,
    int batchPrompts) {
  /** The published seed. */
  public static final long DEFAULT_SEED = 9555;

  /** The published number of prompts. */
  public static final int DEFAULT_PROMPTS = 1000;

  /** The published length of a prompt. */
  public static final int DEFAULT_LENGTH = 10;

  /** The published block. */
  public static final int DEFAULT_LAYER = 1;

  /** What a model-generated start of the second part is. */
  public enum RealBase {
    /** The prompt's own activation, which the words of the publication mean. */
    OWN,
    /** Another prompt's activation put into this prompt, as the published code does. */
    OTHER
  }

  /** Checks what can be checked without the model. */
  public PlateauOptions {
    targets = List.copyOf(targets);
    bases = List.copyOf(bases);
    regimes = List.copyOf(regimes);
    requireDifferent("targets", targets);
    requireDifferent("bases", bases);
    requireDifferent("regimes", regimes);
    if (targets.isEmpty() || regimes.isEmpty()) {
      throw new IllegalArgumentException("at least one target and one regime are needed");
    }
    if (sae.isEmpty()) {
      for (TargetKind kind : Stream.concat(targets.stream(), bases.stream()).toList()) {
        if (kind.needsSae()) {
          throw new IllegalArgumentException(kind.word() + " needs an SAE; name one with --sae");
        }
      }
    }
    boolean ofNorm = variants.featureValue() == PlateauVariants.FeatureValue.MEAN_NORM;
    if (ofNorm && (sae.isEmpty() || scale.featureValue().isPresent())) {
      throw new IllegalArgumentException(
          "the value of a single feature is the mean norm of feature values, which needs an SAE"
              + " (--sae), or a number, not both");
    }
    if (tokens.isRagged()) {
      throw new IllegalArgumentException(
          "prompts have different lengths, but only activations of one position can be compared;"
              + " cut them to one length");
    }
    if (tokens.rows() < 2 || prompts < 1 || prompts > tokens.rows()) {
      throw new IllegalArgumentException(
          prompts
              + " base prompts of "
              + tokens.rows()
              + " prompts; there are at least one base prompt and two prompts, so use more text or"
              + " a smaller --prompts");
    }
    if (batchPrompts < 0) {
      throw new IllegalArgumentException("batch is " + batchPrompts + ", must be at least 1");
    }
  }

  /** Options without variants: as in the paper. The parameters are those of the record. */
  public PlateauOptions(
      TokenBatch tokens,
      String text,
      int layer,
      int prompts,
      List<TargetKind> targets,
      List<TargetKind> bases,
      RealBase realBase,
      Optional<PlateauSae> sae,
      List<Regime> regimes,
      Scale scale,
      long seed,
      int batchPrompts) {
    this(
        tokens,
        text,
        layer,
        prompts,
        targets,
        bases,
        realBase,
        sae,
        regimes,
        scale,
        PlateauVariants.paper(),
        seed,
        batchPrompts);
  }

  private static void requireDifferent(String name, List<?> values) {
    if (values.stream().distinct().count() < values.size()) {
      throw new IllegalArgumentException(name + " name one twice: " + values);
    }
  }

  /**
   * Returns options with the published values as far as no SAE is needed: model-generated and
   * random targets and starts, both regimes.
   *
   * @param tokens prompts of one length
   * @param text where they come from
   * @param prompts how many of them are moved
   * @param rule the published lengths, or lengths that fit the model
   */
  public static PlateauOptions of(TokenBatch tokens, String text, int prompts, Scale.Rule rule) {
    List<TargetKind> kinds = List.of(TargetKind.MODEL_GENERATED, TargetKind.RANDOM);
    return new PlateauOptions(
        tokens,
        text,
        DEFAULT_LAYER,
        prompts,
        kinds,
        kinds,
        RealBase.OWN,
        Optional.empty(),
        List.of(Regime.values()),
        Scale.of(rule),
        DEFAULT_SEED,
        0);
  }
}
