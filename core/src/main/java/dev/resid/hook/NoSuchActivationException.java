package dev.resid.hook;

/** An activation was asked for that the run did not capture. */
public final class NoSuchActivationException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message which activation, which were captured, what to pass
   */
  public NoSuchActivationException(String message) {
    super(message);
  }
}
