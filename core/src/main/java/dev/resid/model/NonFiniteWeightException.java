package dev.resid.model;

/** A weight is NaN or infinite. The message names the weight and the element. */
public final class NonFiniteWeightException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message which weight, which element, what to do
   */
  public NonFiniteWeightException(String message) {
    super(message);
  }
}
