package dev.resid.backend.cuda;

import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;

/** A weight matrix on a device, row-major. */
final class DeviceMatrix implements Matrix {
  private final Shape shape;
  final int in;
  final int out;
  final DeviceStorage values;

  DeviceMatrix(Device device, Shape shape) {
    this.shape = shape;
    this.in = shape.dims().get(0).size();
    this.out = shape.dims().get(1).size();
    this.values = DeviceStorage.lasting(device, shape.elements());
  }

  static void requireMatrix(Tensor w) {
    if (w.shape().rank() != 2) {
      throw new ShapeMismatchException("a matrix is made of two axes, found " + w.shape());
    }
  }

  @Override
  public Shape shape() {
    return shape;
  }

  @Override
  public Tensor toTensor() {
    return Tensor.wrap(shape, Tensor.on(shape, values).toArray());
  }

  @Override
  public long bytes() {
    return Float.BYTES * values.size();
  }
}
