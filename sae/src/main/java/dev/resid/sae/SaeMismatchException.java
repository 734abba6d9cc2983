package dev.resid.sae;

/** An SAE was to be put into a model it does not belong to. */
public final class SaeMismatchException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what the SAE needs, what the model has, what to do
   */
  public SaeMismatchException(String message) {
    super(message);
  }
}
