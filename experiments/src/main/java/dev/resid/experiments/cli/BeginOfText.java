package dev.resid.experiments.cli;

import dev.resid.model.Gpt2;
import java.util.OptionalInt;

/** The token that begins a text. */
final class BeginOfText {
  private BeginOfText() {}

  /**
   * Returns the token that the model, or else its tokenizer, names.
   *
   * @throws IllegalArgumentException if neither names one
   */
  static int of(Gpt2 gpt2) {
    OptionalInt named = gpt2.config().bosToken();
    OptionalInt end = named.isPresent() ? named : gpt2.config().eosToken();
    OptionalInt token =
        end.isPresent() || !gpt2.hasTokenizer() ? end : gpt2.tokenizer().endOfText();
    return token.orElseThrow(
        () ->
            new IllegalArgumentException(
                "neither the model nor its tokenizer names a token that begins a text; make the"
                    + " rows yourself and pass them with --tokens, or leave it out with --no-bos"));
  }
}
