package dev.resid.tokenizer;

/** What to do where an input text spells out a special token such as {@code <|endoftext|>}. */
public enum SpecialTokens {
  /** Encode it as the special token, as Hugging Face tokenizers do. */
  ALLOW,

  /** Throw {@link ForbiddenSpecialTokenException}, which says where it stands. */
  FORBID,

  /** Encode it like any other text; the special id never comes out. */
  AS_TEXT
}
