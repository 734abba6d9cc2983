package dev.resid.experiments.reproduce;

import dev.resid.experiments.result.Worded;
import java.util.Locale;

/** A run of one study, in a folder of its own, whose tables hold measured numbers. */
public enum Part implements Worded {
  /** SAEs and norms at the begin-of-text token alone, which depends on no data. */
  BOS(Input.NOTHING, "the begin-of-text token alone"),
  /** SAEs, norms and cross-entropy by position in long rows. */
  CONTEXT(Input.TEXT, "long rows, position by position"),
  /** SAEs, norms and cross-entropy in short rows. */
  SHORT_ROWS(Input.TEXT, "short rows"),
  /** SAEs and cross-entropy in rows that do not begin with the begin-of-text token. */
  EVALUATION_ROWS(Input.TOKENS, "rows without a begin-of-text token"),
  /** Features that are ever active in rows that do not begin with the begin-of-text token. */
  EVALUATION_ATOMS(Input.TOKENS, "features alive in rows without a begin-of-text token"),
  /** What an SAE does to those further down, divided as by the published code. */
  PROPAGATION(Input.TEXT, "error propagation, divided as by the published code"),
  /** LAMBADA. */
  LAMBADA(Input.LAMBADA, "LAMBADA"),
  /** All of LAMBADA. */
  LAMBADA_WHOLE(Input.LAMBADA, "all of LAMBADA"),
  /** LAMBADA with what the published code measured. */
  LAMBADA_AS_PUBLISHED(Input.LAMBADA, "LAMBADA, measured as by the published code"),
  /** The Children's Book Test. */
  CBT(Input.CBT, "the Children's Book Test"),
  /** The Children's Book Test with what the published code measured. */
  CBT_AS_PUBLISHED(Input.CBT, "the Children's Book Test, measured as by the published code"),
  /** Norms and distances of clean activations. */
  ACTIVATIONS(Input.TEXT, "clean activations"),
  /** SAE reconstruction-error directions at a few lengths. */
  ERRORS(Input.TEXT, "SAE error directions"),
  /** One SAE's reconstruction-error direction at many lengths. */
  ERROR_CURVE(Input.TEXT, "the whole curve of one SAE's error direction"),
  /** SAE feature directions. */
  FEATURES(Input.TEXT, "SAE feature directions"),
  /** What replaces activations. */
  SUBSTITUTION(Input.TEXT, "substitution at equal distance"),
  /** Plateaus and blow-ups. */
  PLATEAU(Input.TEXT, "plateaus and blow-ups");

  private final Input input;
  private final String title;

  Part(Input input, String title) {
    this.input = input;
    this.title = title;
  }

  /** Returns the file it needs besides the model and SAEs. */
  Input input() {
    return input;
  }

  /** Returns what it is about, in words. */
  String title() {
    return title;
  }

  /** Returns the name in tables, of its folder and on the command line. */
  @Override
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Returns the part of a name.
   *
   * @throws IllegalArgumentException if there is none; the message lists those there are
   */
  public static Part of(String word) {
    return Worded.of(Part.class, word, "part");
  }
}
