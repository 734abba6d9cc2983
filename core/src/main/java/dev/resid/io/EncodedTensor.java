package dev.resid.io;

import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Storage;
import dev.resid.tensor.Tensor;

/**
 * A tensor on its way into a file.
 *
 * @param name its key
 * @param dtype how it will be stored
 * @param shape its shape
 * @param values writes its little-endian row-major bytes, as often as asked
 */
record EncodedTensor(String name, DType dtype, Shape shape, AtomicFiles.Content values) {
  /** Checks that the name is text. */
  EncodedTensor {
    if (!Utf8.isWellFormed(name)) {
      throw new IllegalArgumentException(
          Printable.quoted(name) + " holds half a surrogate pair, which UTF-8 cannot store");
    }
  }

  static EncodedTensor of(String name, Tensor tensor, DType dtype) {
    if (!dtype.isFloat()) {
      throw new IllegalArgumentException(
          "tensor " + Printable.quoted(name) + ": a float tensor cannot be stored as " + dtype);
    }
    Storage storage = tensor.storage();
    long count = tensor.elements();
    return new EncodedTensor(
        name, dtype, tensor.shape(), out -> NumberEncoder.floats(name, storage, count, dtype, out));
  }

  static EncodedTensor of(String name, Shape shape, double[] values) {
    checkCount(name, shape, values.length);
    return new EncodedTensor(name, DType.F64, shape, out -> NumberEncoder.doubles(values, out));
  }

  static EncodedTensor of(String name, Shape shape, long[] values) {
    checkCount(name, shape, values.length);
    return new EncodedTensor(name, DType.I64, shape, out -> NumberEncoder.longs(values, out));
  }

  static EncodedTensor of(String name, Shape shape, int[] values) {
    checkCount(name, shape, values.length);
    return new EncodedTensor(name, DType.I32, shape, out -> NumberEncoder.ints(values, out));
  }

  /** Returns the bytes of all values. */
  long bytes() {
    return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
  }

  private static void checkCount(String name, Shape shape, int count) {
    if (shape.elements() != count) {
      throw new ShapeMismatchException(
          "tensor "
              + Printable.quoted(name)
              + ": "
              + shape
              + " needs "
              + shape.elements()
              + " values, found "
              + count);
    }
  }
}
