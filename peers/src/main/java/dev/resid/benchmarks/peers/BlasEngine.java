package dev.resid.benchmarks.peers;

import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.ProductWork;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/** Products by a library with the interface of BLAS; operands outside the heap, row-major. */
final class BlasEngine implements Engine {
  private final String name;
  private final Sgemm sgemm;
  private final ProductWork work;
  private final int rows;
  private final int in;
  private final int out;
  private final FloatPointer x;
  private final List<FloatPointer> weights = new ArrayList<>();
  private final FloatPointer result;

  /** C = A·B, row-major. */
  @FunctionalInterface
  interface Sgemm {
    /** Multiplies A [m, k] by B [k, n]. */
    void multiply(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c);
  }

  BlasEngine(String name, ProductWork work, Sgemm sgemm) {
    this.name = name;
    this.work = work;
    this.sgemm = sgemm;
    rows = work.x().shape().sizes()[0];
    in = work.x().shape().last();
    out = work.bias().shape().last();
    x = pointer(work.x());
    for (Tensor w : work.weights()) {
      weights.add(pointer(w));
    }
    result = new FloatPointer((long) rows * out);
  }

  private static FloatPointer pointer(Tensor tensor) {
    return new FloatPointer(tensor.toArray());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void run() {
    for (FloatPointer w : weights) {
      sgemm.multiply(rows, out, in, x, w, result);
    }
  }

  @Override
  public float[] sample() {
    float[] values = new float[Math.toIntExact(result.limit())];
    result.get(values);
    return work.part(values, work.bias().toArray());
  }

  @Override
  public void close() {
    x.close();
    weights.forEach(FloatPointer::close);
    result.close();
  }
}
