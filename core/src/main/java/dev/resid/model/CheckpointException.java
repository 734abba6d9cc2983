package dev.resid.model;

import java.io.IOException;

/** A checkpoint directory is incomplete or contradicts itself. The message names file and key. */
public final class CheckpointException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message file, key, what is wrong, what to do
   */
  public CheckpointException(String message) {
    super(message);
  }
}
