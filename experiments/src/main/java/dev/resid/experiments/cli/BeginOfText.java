package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;

/** The token that begins a text. */
final class BeginOfText {
  private BeginOfText() {}

  /** The remedy of commands that have no option for it. */
  static final String STATE_IT = "state bos_token_id in its config.json";

  /**
   * Returns the token that the model, or else its tokenizer, names.
   *
   * @param remedy what to do if there is none, for the message
   * @throws IllegalArgumentException if neither names one
   */
  static int of(Gpt2 gpt2, String remedy) {
    return gpt2.beginOfText()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "neither the model "
                        + gpt2.source()
                        + " nor its tokenizer names a token that begins a text; "
                        + remedy));
  }
}
