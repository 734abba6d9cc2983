package dev.resid.backend;

/** What a backend computes on failed at something: a GPU, for example, or its driver. */
public abstract class BackendFailureException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what was tried, what happened, what to do
   */
  protected BackendFailureException(String message) {
    super(message);
  }

  /** Returns whether there was no memory left, which a smaller part of the work may cure. */
  public abstract boolean isOutOfMemory();
}
