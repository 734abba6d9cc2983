package dev.resid.experiments.feature;

import dev.resid.model.Gpt2;
import dev.resid.tokenizer.ByteLevelBpe;
import java.util.Optional;

/** What tokens look like on a page. */
final class TokenText {
  private final Optional<ByteLevelBpe> tokenizer;

  private TokenText(Optional<ByteLevelBpe> tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Returns the texts of a model's tokens; their ids if it has no tokenizer. */
  static TokenText of(Gpt2 gpt2) {
    return new TokenText(gpt2.hasTokenizer() ? Optional.of(gpt2.tokenizer()) : Optional.empty());
  }

  /** Returns a token as it stands in running text; line ends are shown by a sign. */
  String running(int token) {
    if (tokenizer.isEmpty()) {
      return "[" + token + "] ";
    }
    return tokenizer.get().text(token).replace("\r", "").replace("\n", "⏎\n").replace("\t", "⇥\t");
  }

  /** Returns a token by itself; spaces and line ends are shown by signs. */
  String alone(int token) {
    if (tokenizer.isEmpty()) {
      return "[" + token + "]";
    }
    String text =
        tokenizer
            .get()
            .text(token)
            .replace(' ', '␣')
            .replace("\r", "␍")
            .replace("\n", "⏎")
            .replace("\t", "⇥");
    // Bytes that are no character by themselves are shown as the tokenizer's files write them.
    return text.isEmpty() || text.indexOf('\ufffd') >= 0 ? tokenizer.get().printable(token) : text;
  }
}
