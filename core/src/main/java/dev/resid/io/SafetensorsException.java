package dev.resid.io;

import java.nio.file.Path;

/** A safetensors file breaks a rule of the format or does not hold what was asked for. */
public final class SafetensorsException extends TensorFileException {
  private static final long serialVersionUID = 1L;

  static final String DAMAGED =
      "The file is damaged or incomplete: copy or download it again, or write it again";

  /**
   * Puts the parts of the message together.
   *
   * @param file the file as the caller named it
   * @param where key, byte offset, or both
   * @param rule what was expected and what was found
   * @param advice what to do about it
   */
  SafetensorsException(Path file, String where, String rule, String advice) {
    super(file, where, rule, advice);
  }
}
