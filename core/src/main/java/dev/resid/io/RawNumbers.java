package dev.resid.io;

import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Numbers of one dtype in consecutive bytes. The bytes need not be aligned: foreign writers do not
 * always pad.
 */
final class RawNumbers implements Numbers {
  private static final int CHUNK = 4096;

  /** A read of so many bytes is part of a walk through a tensor: its pages are then let go. */
  private static final long WALK_BYTES = 1 << 15;

  /** Linux maps up to 64 KiB around a page that is touched. */
  private static final long NEIGHBOURS = 1 << 17;

  // Single values are fetched through these constants, which the compiler can see through, and
  // swapped afterwards where the file is big-endian.
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final String name;
  private final DType dtype;
  private final MemorySegment bytes;
  private final ByteOrder order;
  private final long count;

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
    this.order = order;
    this.count = bytes.byteSize() / Math.max(1, dtype.bytes());
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public void floats(long offset, float[] target, int at, int length) {
    check(offset, target.length, at, length);
    access(
        () -> {
          switch (dtype) {
            case F32 ->
                MemorySegment.copy(
                    bytes,
                    ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order),
                    offset * 4,
                    target,
                    at,
                    length);
            case F16, BF16 -> halves(offset, target, at, length);
            default -> {
              for (int i = 0; i < length; i++) {
                target[at + i] = (float) real(offset + i);
              }
            }
          }
          release(offset, length);
        });
  }

  /**
   * Takes what was read out of the process's memory; it stays in the system's cache, and reading it
   * again is only slower. Otherwise a model would be in memory twice while it is loaded.
   */
  private void release(long offset, int length) {
    long size = (long) length * dtype.bytes();
    if (size >= WALK_BYTES && bytes.isMapped()) {
      // The read before left some pages: a fault at the edge of its range brings back its
      // neighbours.
      long from = Math.max(0, offset * dtype.bytes() - NEIGHBOURS);
      bytes.asSlice(from, offset * dtype.bytes() + size - from).unload();
    }
  }

  @Override
  public void doubles(long offset, double[] target, int at, int length) {
    check(offset, target.length, at, length);
    access(
        () -> {
          for (int i = 0; i < length; i++) {
            target[at + i] = real(offset + i);
          }
        });
  }

  @Override
  public void longs(long offset, long[] target, int at, int length) {
    check(offset, target.length, at, length);
    access(
        () -> {
          for (int i = 0; i < length; i++) {
            target[at + i] = integer(offset + i);
          }
        });
  }

  /** Copies every {@code stride}-th value of a float dtype as float32. */
  void floats(long offset, long stride, float[] target, int at, int length) {
    checkStrided(offset, stride, length);
    access(
        () -> {
          for (int i = 0; i < length; i++) {
            target[at + i] = (float) real(offset + i * stride);
          }
        });
  }

  /** Copies every {@code stride}-th value of a float dtype as float64. */
  void doubles(long offset, long stride, double[] target, int at, int length) {
    checkStrided(offset, stride, length);
    access(
        () -> {
          for (int i = 0; i < length; i++) {
            target[at + i] = real(offset + i * stride);
          }
        });
  }

  /** Copies every {@code stride}-th value of an integer dtype. */
  void longs(long offset, long stride, long[] target, int at, int length) {
    checkStrided(offset, stride, length);
    access(
        () -> {
          for (int i = 0; i < length; i++) {
            target[at + i] = integer(offset + i * stride);
          }
        });
  }

  /** The value as float64: exact for every float dtype. */
  private double real(long index) {
    return switch (dtype) {
      case F16 -> Float.float16ToFloat(shortAt(index));
      case BF16 -> Float.intBitsToFloat(shortAt(index) << 16);
      case F32 -> Float.intBitsToFloat(intAt(index));
      case F64 -> Double.longBitsToDouble(longAt(index));
      default -> throw new IllegalStateException("not a float dtype: " + dtype);
    };
  }

  private long integer(long index) {
    return switch (dtype) {
      case BOOL, U8 -> bytes.get(ValueLayout.JAVA_BYTE, index) & 0xFF;
      case I8 -> bytes.get(ValueLayout.JAVA_BYTE, index);
      case I16 -> shortAt(index);
      case U16 -> shortAt(index) & 0xFFFF;
      case I32 -> intAt(index);
      case U32 -> intAt(index) & 0xFFFFFFFFL;
      case I64, U64 -> longAt(index);
      default -> throw new IllegalStateException("not an integer dtype: " + dtype);
    };
  }

  private short shortAt(long index) {
    short value = bytes.get(SHORT, index * 2);
    return order == ByteOrder.LITTLE_ENDIAN ? value : Short.reverseBytes(value);
  }

  private int intAt(long index) {
    int value = bytes.get(INT, index * 4);
    return order == ByteOrder.LITTLE_ENDIAN ? value : Integer.reverseBytes(value);
  }

  private long longAt(long index) {
    long value = bytes.get(LONG, index * 8);
    return order == ByteOrder.LITTLE_ENDIAN ? value : Long.reverseBytes(value);
  }

  private void halves(long offset, float[] target, int at, int length) {
    short[] chunk = new short[Math.min(CHUNK, length)];
    ValueLayout.OfShort layout = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
    for (int done = 0; done < length; done += CHUNK) {
      int n = Math.min(CHUNK, length - done);
      MemorySegment.copy(bytes, layout, (offset + done) * 2, chunk, 0, n);
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

  private void checkStrided(long offset, long stride, int length) {
    if (length > 0) {
      Objects.checkIndex(offset, count);
      Objects.checkIndex(offset + (length - 1) * stride, count);
    }
  }

  private void access(Runnable body) {
    if (!bytes.scope().isAlive()) {
      throw closed();
    }
    try {
      body.run();
      MappedFile.settle();
    } catch (IllegalStateException e) {
      // Another thread closed the file in the middle.
      throw bytes.scope().isAlive() ? e : closed();
    } catch (InternalError e) {
      throw new UncheckedIOException(
          MappedFile.cutShort(file, "tensor " + Printable.quoted(name), e));
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
