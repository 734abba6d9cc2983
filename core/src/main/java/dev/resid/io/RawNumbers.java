package dev.resid.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Numbers of one dtype in consecutive bytes, converted as they are read. The bytes need not be
 * aligned: foreign writers do not always pad.
 */
final class RawNumbers {
  private static final int CHUNK = 4096;

  private final Path file;
  private final String name;
  private final DType dtype;
  private final MemorySegment bytes;
  private final long count;
  private final ValueLayout.OfShort shortLayout;
  private final ValueLayout.OfInt intLayout;
  private final ValueLayout.OfLong longLayout;
  private final ValueLayout.OfFloat floatLayout;
  private final ValueLayout.OfDouble doubleLayout;

  /**
   * Describes the numbers; reads nothing.
   *
   * @param file for messages
   * @param name name of the tensor, for messages
   * @param dtype what is stored; 8 bits or more
   * @param bytes exactly the bytes of the numbers
   * @param order byte order of each number
   */
  RawNumbers(Path file, String name, DType dtype, MemorySegment bytes, ByteOrder order) {
    this.file = file;
    this.name = name;
    this.dtype = dtype;
    this.bytes = bytes;
    this.count = bytes.byteSize() / Math.max(1, dtype.bytes());
    this.shortLayout = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
    this.intLayout = ValueLayout.JAVA_INT_UNALIGNED.withOrder(order);
    this.longLayout = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order);
    this.floatLayout = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order);
    this.doubleLayout = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order);
  }

  /** Returns how many numbers there are. */
  long count() {
    return count;
  }

  DType dtype() {
    return dtype;
  }

  /** Copies numbers of a float dtype as float32; float64 is rounded to nearest. */
  void floats(long offset, float[] target, int at, int length) {
    check(offset, target.length, at, length);
    access(
        () -> {
          switch (dtype) {
            case F32 ->
                MemorySegment.copy(bytes, floatLayout, offset * 4, target, at, length);
            case F16, BF16 -> halves(offset, target, at, length);
            case F64 -> {
              double[] chunk = new double[Math.min(CHUNK, length)];
              for (int done = 0; done < length; done += CHUNK) {
                int n = Math.min(CHUNK, length - done);
                MemorySegment.copy(bytes, doubleLayout, (offset + done) * 8, chunk, 0, n);
                for (int i = 0; i < n; i++) {
                  target[at + done + i] = (float) chunk[i];
                }
              }
            }
            default -> throw new IllegalStateException("not a float dtype: " + dtype);
          }
        });
  }

  /** Copies numbers of a float dtype as float64, exactly. */
  void doubles(long offset, double[] target, int at, int length) {
    check(offset, target.length, at, length);
    if (dtype == DType.F64) {
      access(() -> MemorySegment.copy(bytes, doubleLayout, offset * 8, target, at, length));
      return;
    }
    float[] chunk = new float[Math.min(CHUNK, length)];
    for (int done = 0; done < length; done += CHUNK) {
      int n = Math.min(CHUNK, length - done);
      floats(offset + done, chunk, 0, n);
      for (int i = 0; i < n; i++) {
        target[at + done + i] = chunk[i];
      }
    }
  }

  /** Copies numbers of an integer dtype; U64 above 2^63-1 comes out negative. */
  void longs(long offset, long[] target, int at, int length) {
    check(offset, target.length, at, length);
    access(
        () -> {
          switch (dtype) {
            case I64, U64 -> MemorySegment.copy(bytes, longLayout, offset * 8, target, at, length);
            default -> {
              for (int i = 0; i < length; i++) {
                target[at + i] = integer(offset + i);
              }
            }
          }
        });
  }

  private long integer(long index) {
    return switch (dtype) {
      case BOOL, U8 -> bytes.get(ValueLayout.JAVA_BYTE, index) & 0xFF;
      case I8 -> bytes.get(ValueLayout.JAVA_BYTE, index);
      case I16 -> bytes.get(shortLayout, index * 2);
      case U16 -> bytes.get(shortLayout, index * 2) & 0xFFFF;
      case I32 -> bytes.get(intLayout, index * 4);
      case U32 -> bytes.get(intLayout, index * 4) & 0xFFFFFFFFL;
      default -> throw new IllegalStateException("not an integer dtype: " + dtype);
    };
  }

  private void halves(long offset, float[] target, int at, int length) {
    short[] chunk = new short[Math.min(CHUNK, length)];
    for (int done = 0; done < length; done += CHUNK) {
      int n = Math.min(CHUNK, length - done);
      MemorySegment.copy(bytes, shortLayout, (offset + done) * 2, chunk, 0, n);
      if (dtype == DType.F16) {
        for (int i = 0; i < n; i++) {
          target[at + done + i] = Float.float16ToFloat(chunk[i]);
        }
      } else {
        for (int i = 0; i < n; i++) {
          target[at + done + i] = Float.intBitsToFloat(chunk[i] << 16);
        }
      }
    }
  }

  private void check(long offset, int targetLength, int at, int length) {
    Objects.checkFromIndexSize(at, length, targetLength);
    Objects.checkFromIndexSize(offset, (long) length, count);
  }

  private void access(Runnable body) {
    if (!bytes.scope().isAlive()) {
      throw closed();
    }
    try {
      body.run();
    } catch (IllegalStateException e) {
      // Another thread closed the file in the middle.
      throw bytes.scope().isAlive() ? e : closed();
    } catch (InternalError e) {
      // How the JVM reports a page of a mapping that the file no longer has.
      throw new UncheckedIOException(
          new IOException(
              file + ": tensor " + Printable.quoted(name)
                  + ": the file was cut short or its disk failed while it was open. Open it again",
              e));
    }
  }

  private IllegalStateException closed() {
    return new IllegalStateException(
        file
            + ": tensor "
            + Printable.quoted(name)
            + " was read after its file was closed. Keep the file open while mapped tensors are"
            + " in use, or copy them with tensor(...)");
  }
}
