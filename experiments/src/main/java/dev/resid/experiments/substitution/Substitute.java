package dev.resid.experiments.substitution;

import dev.resid.experiments.result.Worded;
import java.util.Arrays;
import java.util.List;

/**
 * What stands in the place of an activation x. ε is ‖SAE(x) − x‖ at the position.
 *
 * @source Lee and Heimersheim 2024 (arXiv 2410.12555), section 4.1; the corrections of the norm and
 *     the random vectors at a fixed angle are those of Gurnee 2024, "SAE reconstruction errors are
 *     (empirically) pathological"
 */
public enum Substitute implements Worded {
  /** SAE(x). */
  RECONSTRUCTION("sae", Needs.SAE),
  /** x + ε·d with an isotropic random unit vector d. */
  ISOTROPIC("isotropic", Needs.SAE),
  /** x + ε·d with a cov-random mixture direction d. */
  COV_RANDOM_MIXTURE("cov-random-mixture", Needs.SAE),
  /** x + ε·d with a real mixture direction d. */
  REAL_MIXTURE("real-mixture", Needs.SAE),
  /** SAE(x)·‖x‖/‖SAE(x)‖. */
  NORM_CORRECTED("norm-corrected", Needs.SAE),
  /** x·‖SAE(x)‖/‖x‖. */
  NORM_ONLY("norm-only", Needs.SAE),
  /** A random vector with the cosine of SAE(x) to x and the norm of x. */
  THETA_RANDOM("theta-random", Needs.SAE),
  /** A random vector with the cosine of SAE(x) to x and the norm of SAE(x). */
  THETA_RANDOM_SAE_NORM("theta-random-sae-norm", Needs.SAE),
  /** 0. */
  ZERO("zero", Needs.NOTHING),
  /** The mean of the data without the first position. */
  MEAN("mean", Needs.NOTHING),
  /** The mean of the data with the first position, as in the published numbers. */
  MEAN_WITH_FIRST("mean-with-first", Needs.NOTHING);

  /** What a run has if nothing else is asked for: all but what only repeats a published quirk. */
  public static final List<Substitute> USUAL =
      Arrays.stream(values()).filter(one -> one != MEAN_WITH_FIRST).toList();

  /** The four that are compared at equal distance. */
  public static final List<Substitute> EQUAL_DISTANCE =
      List.of(RECONSTRUCTION, ISOTROPIC, COV_RANDOM_MIXTURE, REAL_MIXTURE);

  /** What is put in at a single position too if nothing else is asked for. */
  public static final List<Substitute> USUALLY_ALONE =
      List.of(RECONSTRUCTION, ISOTROPIC, COV_RANDOM_MIXTURE, REAL_MIXTURE, ZERO, MEAN);

  private enum Needs {
    SAE,
    NOTHING
  }

  private final String word;
  private final Needs needs;

  Substitute(String word, Needs needs) {
    this.word = word;
    this.needs = needs;
  }

  /** Returns the name of tables and the command line, for example {@code real-mixture}. */
  @Override
  public String word() {
    return word;
  }

  /** Returns the name in running text. */
  String words() {
    return switch (this) {
      case RECONSTRUCTION -> "SAE(x)";
      case COV_RANDOM_MIXTURE -> "cov-random mixture";
      case REAL_MIXTURE -> "real mixture";
      case THETA_RANDOM -> "random at the angle of SAE(x), norm of x";
      case THETA_RANDOM_SAE_NORM -> "random at the angle of SAE(x), norm of SAE(x)";
      case ZERO -> "zero ablation";
      case MEAN -> "mean ablation";
      case MEAN_WITH_FIRST -> "mean ablation, position 0 in the mean";
      default -> word.replace('-', ' ');
    };
  }

  /** Returns whether it depends on an SAE; the others depend on the point alone. */
  boolean needsSae() {
    return needs == Needs.SAE;
  }

  /**
   * Returns the substitute of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists those there are
   */
  public static Substitute of(String word) {
    return Worded.of(Substitute.class, word, "substitute");
  }
}
