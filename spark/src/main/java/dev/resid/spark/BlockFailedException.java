package dev.resid.spark;

/** Why a process cannot compute a block, in a sentence that names the machine. */
final class BlockFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BlockFailedException(String message) {
    super(message);
  }
}
