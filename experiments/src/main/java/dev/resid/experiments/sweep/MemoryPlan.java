package dev.resid.experiments.sweep;

import dev.resid.tensor.Backend;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How much memory the activations of a run may take: a part of Java's heap, or, where a backend has
 * memory of its own, of what is free there once the weights are in it.
 *
 * @param budget bytes that the activations of one call may take
 * @param free bytes that are free in the backend's own memory; empty where it has none
 */
public record MemoryPlan(long budget, OptionalLong free) {
  /** Part of the heap that the activations of one call may take. */
  private static final int HEAP_PART = 8;

  /** The same of a device's memory: the rest is for clean runs, logits and features. */
  private static final int DEVICE_PART = 2;

  /** Bytes of activations that are enough for any speed of a sweep of rows. */
  private static final long ENOUGH = 768L << 20;

  /**
   * Returns the plan of a sweep of rows, for a backend that holds what it needs besides activations
   * already.
   *
   * @param backend where the run computes
   */
  public static MemoryPlan of(Backend backend) {
    return of(backend, ENOUGH);
  }

  /**
   * Returns the plan for a backend that holds what it needs besides activations already.
   *
   * @param backend where the run computes
   * @param most bytes that are enough for any speed
   */
  public static MemoryPlan of(Backend backend, long most) {
    OptionalLong free = backend.freeBytes();
    long room =
        free.isPresent()
            ? free.getAsLong() / DEVICE_PART
            : Runtime.getRuntime().maxMemory() / HEAP_PART;
    return new MemoryPlan(Math.min(most, room), free);
  }

  /**
   * Refuses what cannot fit. On the heap everything is allowed: the heap grows, or says so itself.
   *
   * @param bytes about how much the activations of the smallest, or wanted, call take
   * @throws IllegalStateException if that is more than is free
   */
  public void requireRoomFor(long bytes) {
    if (free.isPresent() && bytes > free.getAsLong()) {
      throw new IllegalStateException(
          "the activations of one call take about "
              + mebibytes(bytes)
              + ", and the GPU has "
              + mebibytes(free.getAsLong())
              + " free beside the weights; use shorter rows, a smaller --batch or another"
              + " --device, or end other programs on the GPU");
    }
  }

  /**
   * Returns in words, to follow the plan of a run, what only a device's memory has; empty on the
   * heap.
   *
   * @param cleanRun bytes that the clean run takes of the activations
   */
  public String words(long cleanRun) {
    return free.isEmpty()
        ? ""
        : "; on the GPU: "
            + mebibytes(cleanRun)
            + " of the activations for the clean run, "
            + mebibytes(free.getAsLong())
            + " free beside the weights";
  }

  /** Returns a size in words, such as {@code 7 MiB}; what is less than one, but not 0, as one. */
  public static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MiB", bytes == 0 ? 0 : Math.max(1, bytes >> 20));
  }
}
