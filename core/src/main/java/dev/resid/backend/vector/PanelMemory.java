package dev.resid.backend.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

// Panels lie outside the heap, where they begin at a cache line: the elements of a Java array begin
// 16 bytes after one or anywhere, so that every vector of a panel would touch two lines, and the
// collector might move them. The memory is freed when its segment is unreachable; it counts
// towards -XX:MaxDirectMemorySize, which is the size of the heap unless said otherwise.
final class PanelMemory {
  private static final long LINE = 64;

  private static final Class<?> KIND = allocate(1).getClass();

  private PanelMemory() {}

  /**
   * Returns the same segment after a check of its class. Where an inner loop reads a segment whose
   * class the compiler does not know, it checks that class at every step as soon as the program has
   * used segments or vectors of another kind; a check before the loop makes it certain. That is
   * worth a third of the time of a product.
   */
  static MemorySegment certain(MemorySegment segment) {
    return (MemorySegment) KIND.cast(segment);
  }

  /** Returns zeros. */
  static MemorySegment allocate(long elements) {
    return Arena.ofAuto().allocate(Math.max(1, elements) * Float.BYTES, LINE);
  }

  /** Copies elements of an array to a byte of a segment. */
  static void put(float[] from, int fromAt, MemorySegment to, long toByte, int count) {
    MemorySegment.copy(from, fromAt, to, ValueLayout.JAVA_FLOAT, toByte, count);
  }

  /** Copies elements from a byte of a segment into an array. */
  static void get(MemorySegment from, long fromByte, float[] to, int toAt, int count) {
    MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, fromByte, to, toAt, count);
  }
}
