package dev.resid.experiments.substitution;

import dev.resid.experiments.result.Worded;
import java.util.List;
import java.util.Locale;

/** What is measured at every position after a replacement. */
public enum Readout implements Worded {
  /** KL(original‖changed) of the next-token distribution, in nats. */
  KL,
  /** Euclidean distance at the last {@code resid_post}. */
  L2,
  /** Cross-entropy of the next token, in nats; it takes a second unembedding. */
  CE;

  /** The two of the published figures. */
  public static final List<Readout> PUBLISHED = List.of(KL, L2);

  /** The column of cross-entropies in tables. */
  public static final String CE_COLUMN = "ce_nats";

  /** Returns the name in records and on the command line. */
  @Override
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Returns its column in tables. */
  String column() {
    return switch (this) {
      case KL -> "kl_nats";
      case L2 -> "l2";
      case CE -> CE_COLUMN;
    };
  }

  /** Returns what it is, in words. */
  String meaning() {
    return switch (this) {
      case KL -> "Mean KL(original‖changed) in nats";
      case L2 -> "Mean Euclidean distance at the last resid_post";
      case CE -> "Mean cross-entropy of the next token in nats";
    };
  }

  /** Returns its name in figures, with the unit. */
  String axis() {
    return switch (this) {
      case KL -> "mean KL (nats)";
      case L2 -> "mean L2 distance (model units)";
      case CE -> "mean cross-entropy (nats)";
    };
  }

  /** Returns its name where one is chosen. */
  String label() {
    return switch (this) {
      case KL -> "KL";
      case L2 -> "L2 at the last resid_post";
      case CE -> "cross-entropy";
    };
  }

  /**
   * Returns the read-out of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists those there are
   */
  public static Readout of(String word) {
    return Worded.of(Readout.class, word, "read-out");
  }
}
