package dev.resid.tensor;

/** A tensor has another shape than the operation needs. The message names both. */
public final class ShapeMismatchException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what was expected and what was found, with dims, and where
   */
  public ShapeMismatchException(String message) {
    super(message);
  }
}
