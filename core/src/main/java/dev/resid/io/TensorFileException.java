package dev.resid.io;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A tensor file is damaged, breaks a rule of its format, or does not hold what was asked for. The
 * message names the file, the key or byte offset, the rule, and what to do.
 */
public class TensorFileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Path file;

  /**
   * Puts the parts of the message together: {@code FILE: WHERE: RULE. ADVICE}.
   *
   * @param file the file as the caller named it
   * @param where key, byte offset, or both
   * @param rule what was expected and what was found
   * @param advice what to do about it, a sentence
   */
  public TensorFileException(Path file, String where, String rule, String advice) {
    super(file + ": " + where + ": " + rule + ". " + advice);
    this.file = file;
  }

  /** Returns the file, or null after deserialization. */
  public Path file() {
    return file;
  }
}
