package dev.resid.backend;

/**
 * How a backend is opened.
 *
 * @param threads worker threads, at least 1
 * @param vectorBits width of vector registers to use, 128, 256 or 512; 0 for the widest the machine
 *     prefers; ignored by other backends
 */
public record BackendOptions(int threads, int vectorBits) {
  /** Checks the ranges. */
  public BackendOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads is " + threads + ", must be at least 1");
    }
    if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
      throw new IllegalArgumentException(
          "vectorBits is " + vectorBits + ", must be 128, 256, 512, or 0 for the machine's choice");
    }
  }

  /** Returns one thread a processor and the machine's preferred vector width. */
  public static BackendOptions defaults() {
    return new BackendOptions(Runtime.getRuntime().availableProcessors(), 0);
  }

  /** Returns these options with another number of threads. */
  public BackendOptions withThreads(int count) {
    return new BackendOptions(count, vectorBits);
  }

  /** Returns these options with another vector width. */
  public BackendOptions withVectorBits(int bits) {
    return new BackendOptions(threads, bits);
  }
}
