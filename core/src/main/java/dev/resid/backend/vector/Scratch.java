package dev.resid.backend.vector;

import java.lang.foreign.MemorySegment;

/** Buffers of one thread, kept from task to task. Their contents are arbitrary at first. */
final class Scratch {
  /** What a buffer is for; two uses at the same time need two names. */
  enum Use {
    ROWS,
    TILE,
    SUMS,
    PANEL,
    BASE,
    LOGITS,
    KEYS,
    VALUES,
    QUERIES,
    SCORES,
    PATTERN,
    GRADIENT,
    ACTIVATION,
    PIECE,
    PIECE_GRADIENT
  }

  private final float[][] buffers = new float[Use.values().length][];
  private final MemorySegment[] segments = new MemorySegment[Use.values().length];

  private double[] doubles = {};

  /** Returns a buffer of float64, at least as long as asked; there is one. */
  double[] doubles(int length) {
    if (doubles.length < length) {
      doubles = new double[length];
    }
    return doubles;
  }

  /** Returns the buffer for a use, at least as long as asked. */
  float[] floats(Use use, int length) {
    float[] buffer = buffers[use.ordinal()];
    if (buffer == null || buffer.length < length) {
      buffer = new float[length];
      buffers[use.ordinal()] = buffer;
    }
    return buffer;
  }

  /** Returns panels outside the heap for a use, at least as many elements as asked. */
  MemorySegment panels(Use use, long elements) {
    MemorySegment segment = segments[use.ordinal()];
    if (segment == null || segment.byteSize() < elements * Float.BYTES) {
      segment = PanelMemory.allocate(elements);
      segments[use.ordinal()] = segment;
    }
    return segment;
  }
}
