package dev.resid.backend.cuda;

import dev.resid.backend.BackendFailureException;

/**
 * A call of the CUDA driver or of cuBLAS failed. The message says what was tried and what to do.
 */
public final class CudaFailureException extends BackendFailureException {
  private static final long serialVersionUID = 1L;

  /** The driver's name of the error, for example {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  private final String error;

  /**
   * Creates the exception.
   *
   * @param error the driver's name of the error
   * @param message what was tried, what happened, what to do
   */
  CudaFailureException(String error, String message) {
    super(message);
    this.error = error;
  }

  /** Returns the driver's name of the error, for example {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public String error() {
    return error;
  }

  @Override
  public boolean isOutOfMemory() {
    return error.equals("CUDA_ERROR_OUT_OF_MEMORY");
  }
}
