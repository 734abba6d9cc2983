package dev.resid.experiments.plateau;

import dev.resid.experiments.result.Worded;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the residual stream is moved towards, or, in the second part of the study, away from. */
public enum TargetKind implements Worded {
  /** The activation of another prompt at the same position. */
  MODEL_GENERATED("model-generated", Needs.NOTHING),
  /** A draw from the normal distribution with mean and covariance of such activations. */
  RANDOM("random", Needs.NOTHING),
  /** What an SAE makes of another prompt's activation. */
  SAE_RECONSTRUCTION("SAE reconstruction", Needs.SAE),
  /** The decoded value of one SAE feature, at about the distance of other prompts' activations. */
  SINGLE_FEATURE("single feature", Needs.SAE),
  /** The base's feature values on random alive features. */
  BAG_OF_FEATURES("bag of features", Needs.SAE),
  /** The base's feature values on features of about the same density. */
  SYNTHETIC_BASELINE("synthetic baseline", Needs.SAE),
  /** The base's feature values on features of about the same geometry. */
  SYNTHETIC_STRUCTURED("synthetic structured", Needs.SAE),
  /** As {@link #SYNTHETIC_STRUCTURED} in the version before the paper's. */
  SYNTHETIC_STRUCTURED_V1("synthetic structured v1", Needs.SAE);

  private static final List<TargetKind> BASES =
      List.of(MODEL_GENERATED, RANDOM, SYNTHETIC_BASELINE, SYNTHETIC_STRUCTURED);

  private enum Needs {
    NOTHING,
    SAE
  }

  private final String label;
  private final Needs needs;

  TargetKind(String label, Needs needs) {
    this.label = label;
    this.needs = needs;
  }

  /** Returns the name in tables and on the command line. */
  @Override
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the name in running text. */
  public String label() {
    return label;
  }

  /** Returns whether it is made with a sparse autoencoder. */
  public boolean needsSae() {
    return needs == Needs.SAE;
  }

  /**
   * Returns the targets that a run has if nothing else is asked for: the kinds of the paper and its
   * notebooks, without an SAE those that need none.
   *
   * @param sae what they are made with
   */
  public static List<TargetKind> usual(Optional<PlateauSae> sae) {
    return Arrays.stream(values())
        .filter(kind -> kind != SYNTHETIC_STRUCTURED_V1 && (sae.isPresent() || !kind.needsSae()))
        .toList();
  }

  /**
   * Returns the published starts of the study's second part, without an SAE those that need none.
   *
   * @param sae what they are made with
   */
  public static List<TargetKind> usualBases(Optional<PlateauSae> sae) {
    return BASES.stream().filter(kind -> sae.isPresent() || !kind.needsSae()).toList();
  }

  /**
   * Returns the kind of a name.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static TargetKind of(String word) {
    return Worded.of(TargetKind.class, word, "kind of target");
  }
}
