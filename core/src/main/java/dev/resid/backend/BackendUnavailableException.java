package dev.resid.backend;

/** A backend was asked for that cannot be opened here. The message lists what there is instead. */
public final class BackendUnavailableException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message which backend, why not, what to do
   */
  public BackendUnavailableException(String message) {
    super(message);
  }
}
