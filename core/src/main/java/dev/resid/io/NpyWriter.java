package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Writes npy files that {@code numpy.load} reads: version 1.0, little-endian, row-major. The target
 * is replaced atomically.
 */
public final class NpyWriter {
  private static final int ALIGNMENT = 64;

  private NpyWriter() {}

  /**
   * Writes a tensor as float32.
   *
   * @param file the file to create or replace; its folder must exist
   * @param tensor its shape and values
   * @throws IOException if it cannot be written; the file then stays as it was
   */
  public static void write(Path file, Tensor tensor) throws IOException {
    write(file, EncodedTensor.of("", tensor, DType.F32));
  }

  /**
   * Writes values as float64.
   *
   * @param file the file to create or replace; its folder must exist
   * @param shape the shape
   * @param values row-major
   * @throws IOException if it cannot be written; the file then stays as it was
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public static void write(Path file, Shape shape, double[] values) throws IOException {
    write(file, EncodedTensor.of("", shape, values));
  }

  /**
   * Writes values as int64.
   *
   * @param file the file to create or replace; its folder must exist
   * @param shape the shape
   * @param values row-major
   * @throws IOException if it cannot be written; the file then stays as it was
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public static void write(Path file, Shape shape, long[] values) throws IOException {
    write(file, EncodedTensor.of("", shape, values));
  }

  /**
   * Writes values as int32.
   *
   * @param file the file to create or replace; its folder must exist
   * @param shape the shape
   * @param values row-major
   * @throws IOException if it cannot be written; the file then stays as it was
   * @throws ShapeMismatchException if the number of values is not that of the shape
   */
  public static void write(Path file, Shape shape, int[] values) throws IOException {
    write(file, EncodedTensor.of("", shape, values));
  }

  private static void write(Path file, EncodedTensor tensor) throws IOException {
    byte[] header = header(tensor);
    AtomicFiles.write(
        file,
        Math.addExact(header.length, tensor.bytes()),
        out -> {
          out.write(header);
          tensor.values().writeTo(out);
        });
  }

  /** Returns magic number, version, length and text, a multiple of 64 bytes. */
  static byte[] header(EncodedTensor tensor) {
    String descr =
        switch (tensor.dtype()) {
          case F16 -> "<f2";
          case F32 -> "<f4";
          case F64 -> "<f8";
          case I32 -> "<i4";
          case I64 -> "<i8";
          default ->
              throw new IllegalArgumentException(
                  "npy has no dtype for " + tensor.dtype() + "; use F16, F32 or F64");
        };
    String sizes =
        Arrays.stream(tensor.shape().sizes())
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(", "));
    String text =
        "{'descr': '"
            + descr
            + "', 'fortran_order': False, 'shape': ("
            + sizes
            + (tensor.shape().rank() == 1 ? "," : "")
            + "), }";
    int length = (10 + text.length() + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (length - 10 > 0xFFFF) {
      throw new IllegalArgumentException(
          "a shape of " + tensor.shape().rank() + " axes is too long for an npy header");
    }
    ByteBuffer header = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    header.put(NpyHeader.MAGIC.getBytes(StandardCharsets.ISO_8859_1)).put((byte) 1).put((byte) 0);
    header.putShort((short) (length - 10)).put(text.getBytes(StandardCharsets.US_ASCII));
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }
}
