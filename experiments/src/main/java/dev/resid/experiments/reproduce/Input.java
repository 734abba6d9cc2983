package dev.resid.experiments.reproduce;

/** Files besides the model and SAEs that numbers are measured on. */
enum Input {
  /** None: the tokens are known. */
  NOTHING("", ""),
  /** Running text. */
  TEXT(
      "--text FILE",
      "OpenWebText as UTF-8 text with lines of <|endoftext|> between documents; the data set"
          + " Skylion007/openwebtext on Hugging Face"),
  /** Rows of token ids. */
  TOKENS(
      "--tokens FILE",
      "rows of 1,024 token ids without a begin-of-text token, JSON [[id, ...], ...]; from the data"
          + " set apollo-research/Skylion007-openwebtext-tokenizer-gpt2 on Hugging Face"),
  /** LAMBADA passages. */
  LAMBADA(
      "--lambada FILE",
      "the test split of LAMBADA as its authors published it, lower-case and a passage a line; the"
          + " data set lambada on Hugging Face"),
  /** Questions of the Children's Book Test. */
  CBT("--cbt FILE", "cbtest_CN_valid_2000ex.txt of the Children's Book Test, CBTest.tgz");

  private final String option;
  private final String source;

  Input(String option, String source) {
    this.option = option;
    this.source = source;
  }

  /** Returns the option that names the file. */
  String option() {
    return option;
  }

  /** Returns what file it is and where it is published. */
  String source() {
    return source;
  }
}
