package dev.resid.io;

import dev.resid.tensor.Storage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes numbers as little-endian bytes, a piece at a time. */
final class NumberEncoder {
  private static final int CHUNK = 8192;

  /** The largest float32 that rounds to a finite BF16: halfway to 2^128, exclusive. */
  private static final float BF16_LIMIT = Float.intBitsToFloat(0x7F7F7FFF);

  private NumberEncoder() {}

  /** Returns the BF16 nearest to a float32, ties to even; NaN stays NaN and infinity infinity. */
  static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      // Rounding could carry a NaN's payload into infinity; set the quiet bit instead.
      return (short) ((bits >>> 16) | 0x0040);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /**
   * Writes float32 values as F16, BF16, F32 or F64.
   *
   * @throws IllegalArgumentException if a finite value would become infinite
   */
  static void floats(String name, Storage values, long count, DType dtype, OutputStream out)
      throws IOException {
    float[] chunk = new float[(int) Math.min(CHUNK, count)];
    ByteBuffer bytes = buffer(chunk.length * dtype.bytes());
    for (long done = 0; done < count; done += CHUNK) {
      int n = (int) Math.min(CHUNK, count - done);
      values.read(done, chunk, 0, n);
      bytes.clear();
      switch (dtype) {
        case F32 -> bytes.asFloatBuffer().put(chunk, 0, n);
        case F64 -> {
          for (int i = 0; i < n; i++) {
            bytes.putDouble(i * 8, chunk[i]);
          }
        }
        case F16, BF16 -> {
          for (int i = 0; i < n; i++) {
            bytes.putShort(i * 2, half(name, done + i, chunk[i], dtype));
          }
        }
        default -> throw new IllegalArgumentException("not a float dtype: " + dtype);
      }
      out.write(bytes.array(), 0, n * dtype.bytes());
    }
  }

  private static short half(String name, long index, float value, DType dtype) {
    short half = dtype == DType.F16 ? Float.floatToFloat16(value) : toBf16(value);
    boolean overflow =
        dtype == DType.F16
            ? Float.isInfinite(Float.float16ToFloat(half))
            : Math.abs(value) > BF16_LIMIT;
    if (overflow && Float.isFinite(value)) {
      throw new IllegalArgumentException(
          "tensor "
              + Printable.quoted(name)
              + ": element "
              + index
              + " is "
              + value
              + ", too large for "
              + dtype
              + "; write it as "
              + (dtype == DType.F16 ? "BF16 or F32" : "F32"));
    }
    return half;
  }

  static void doubles(double[] values, OutputStream out) throws IOException {
    ByteBuffer bytes = buffer(Math.min(CHUNK, values.length) * 8);
    for (int done = 0; done < values.length; done += CHUNK) {
      int n = Math.min(CHUNK, values.length - done);
      bytes.asDoubleBuffer().put(values, done, n);
      out.write(bytes.array(), 0, n * 8);
    }
  }

  static void longs(long[] values, OutputStream out) throws IOException {
    ByteBuffer bytes = buffer(Math.min(CHUNK, values.length) * 8);
    for (int done = 0; done < values.length; done += CHUNK) {
      int n = Math.min(CHUNK, values.length - done);
      bytes.asLongBuffer().put(values, done, n);
      out.write(bytes.array(), 0, n * 8);
    }
  }

  static void ints(int[] values, OutputStream out) throws IOException {
    ByteBuffer bytes = buffer(Math.min(CHUNK, values.length) * 4);
    for (int done = 0; done < values.length; done += CHUNK) {
      int n = Math.min(CHUNK, values.length - done);
      bytes.asIntBuffer().put(values, done, n);
      out.write(bytes.array(), 0, n * 4);
    }
  }

  /** Writes a byte many times. */
  static void repeat(int value, int count, OutputStream out) throws IOException {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) value);
    out.write(bytes);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
