package dev.resid.tokenizer;

import dev.resid.io.Printable;
import java.io.IOException;

/**
 * A tokenizer or token file does not hold what its format demands. The message names the file, the
 * place in it (key, line, or row and column), what is wrong and what to do.
 */
public final class TokenizerFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param file the file, as it was named to the reader
   * @param where key, line, or row and column in the file
   * @param problem what was expected and what was found
   * @param advice what to do
   */
  public TokenizerFormatException(String file, String where, String problem, String advice) {
    super(message(file, where, problem, advice));
  }

  /**
   * Creates the exception.
   *
   * @param file the file, as it was named to the reader
   * @param where key, line, or row and column in the file
   * @param problem what was expected and what was found
   * @param advice what to do
   * @param cause the parser's complaint
   */
  public TokenizerFormatException(
      String file, String where, String problem, String advice, Throwable cause) {
    super(message(file, where, problem, advice), cause);
  }

  private static String message(String file, String where, String problem, String advice) {
    // What is quoted there comes from the file and may be anything.
    return file
        + ", "
        + Printable.line(where)
        + ": "
        + Printable.sentence(problem)
        + ". "
        + advice
        + ".";
  }
}
