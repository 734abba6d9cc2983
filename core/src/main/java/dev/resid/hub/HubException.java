package dev.resid.hub;

import java.io.IOException;

/**
 * Something is not in the cache, or could not be fetched. The message names repository and file,
 * what the server did, and what to do.
 */
public final class HubException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message repository, file, what is wrong, what to do
   */
  public HubException(String message) {
    super(message);
  }

  /**
   * Creates the exception.
   *
   * @param message repository, file, what is wrong, what to do
   * @param cause what went wrong below
   */
  public HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
