package dev.resid.backend;

import java.util.Objects;

/**
 * How a backend is opened.
 *
 * @param threads worker threads, 1 to 4096
 * @param vectorBits width of vector registers to use, 128, 256 or 512; 0 for the widest the machine
 *     prefers; ignored by other backends
 * @param precision how {@code cuda} multiplies matrices; ignored by other backends
 * @param device number of the GPU, from 0; ignored by other backends
 */
public record BackendOptions(int threads, int vectorBits, Precision precision, int device) {
  /** No machine has more processors; each thread has memory of its own. */
  private static final int MOST_THREADS = 4096;

  /** Checks the ranges. */
  public BackendOptions {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads is " + threads + ", must be at least 1 and at most " + MOST_THREADS);
    }
    if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
      throw new IllegalArgumentException(
          "vectorBits is " + vectorBits + ", must be 128, 256, 512, or 0 for the machine's choice");
    }
    Objects.requireNonNull(precision, "precision");
    if (device < 0) {
      throw new IllegalArgumentException("device is " + device + ", must be at least 0");
    }
  }

  /**
   * Creates options of a CPU backend; a GPU would be the first, in float32.
   *
   * @param threads worker threads, at least 1
   * @param vectorBits 128, 256 or 512; 0 for the widest the machine prefers
   */
  public BackendOptions(int threads, int vectorBits) {
    this(threads, vectorBits, Precision.FP32, 0);
  }

  /** Returns one thread a processor and the machine's preferred vector width. */
  public static BackendOptions defaults() {
    return new BackendOptions(Runtime.getRuntime().availableProcessors(), 0);
  }

  /** Returns these options with another number of threads. */
  public BackendOptions withThreads(int count) {
    return new BackendOptions(count, vectorBits, precision, device);
  }

  /** Returns these options with another vector width. */
  public BackendOptions withVectorBits(int bits) {
    return new BackendOptions(threads, bits, precision, device);
  }

  /** Returns these options with another precision of products on a GPU. */
  public BackendOptions withPrecision(Precision other) {
    return new BackendOptions(threads, vectorBits, other, device);
  }

  /** Returns these options with another GPU. */
  public BackendOptions withDevice(int number) {
    return new BackendOptions(threads, vectorBits, precision, number);
  }
}
