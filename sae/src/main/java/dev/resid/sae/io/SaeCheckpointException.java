package dev.resid.sae.io;

import java.io.IOException;

/**
 * The files of an SAE are incomplete, contradict themselves, or state something this library does
 * not know. The message names file and key, and says what to do.
 */
public final class SaeCheckpointException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message file, key, what is wrong, what to do
   */
  public SaeCheckpointException(String message) {
    super(message);
  }
}
