package dev.resid.io;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/** Reads a memory segment as a stream, without copying it first. */
final class SegmentInputStream extends InputStream {
  private final MemorySegment segment;
  private long position;

  SegmentInputStream(MemorySegment segment) {
    this.segment = segment;
  }

  @Override
  public int read() {
    if (position >= segment.byteSize()) {
      return -1;
    }
    return segment.get(ValueLayout.JAVA_BYTE, position++) & 0xFF;
  }

  @Override
  public int read(byte[] target, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return 0;
    }
    int n = (int) Math.min(length, segment.byteSize() - position);
    if (n <= 0) {
      return -1;
    }
    MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, position, target, offset, n);
    position += n;
    return n;
  }

  @Override
  public int available() {
    return (int) Math.min(Integer.MAX_VALUE, segment.byteSize() - position);
  }
}
