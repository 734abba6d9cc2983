package dev.resid.tokenizer;

/** A text spells out a special token where {@link SpecialTokens#FORBID} was asked for. */
public final class ForbiddenSpecialTokenException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String token;
  private final int position;

  /**
   * Creates the exception.
   *
   * @param token the special token's text
   * @param position index of its first char in the input
   */
  public ForbiddenSpecialTokenException(String token, int position) {
    super(
        "the text holds the special token "
            + token
            + " at character "
            + position
            + "; pass SpecialTokens.ALLOW to encode it as that token or SpecialTokens.AS_TEXT to"
            + " encode it as ordinary text");
    this.token = token;
    this.position = position;
  }

  /** Returns the special token's text. */
  public String token() {
    return token;
  }

  /** Returns the index of its first char in the input. */
  public int position() {
    return position;
  }
}
