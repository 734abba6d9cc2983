package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * x·w + bias for one x and a pool of matrices w, one after the other. With many rows one matrix is
 * enough and multiply-adds are the limit; with few, the pool is as large as what the bandwidth is
 * measured on, so that weights come from memory, and reading them is the limit.
 */
public final class ProductWork implements Workload {
  private static final int CHECKED_ROWS = 2;

  private final int rows;
  private final int in;
  private final int out;
  private final Bound bound;
  private final Tensor x;
  private final List<Tensor> weights = new ArrayList<>();
  private final Tensor bias;
  private final Backend backend;
  private final Ours ours;

  private ProductWork(int rows, int in, int out, int pool, Bound bound, Backend backend) {
    this.rows = rows;
    this.in = in;
    this.out = out;
    this.bound = bound;
    this.backend = backend;
    x = GeneratedModel.values(Shape.of(Axis.ROW, rows, Axis.IN, in), 10, 1);
    bias = GeneratedModel.values(Shape.of(Axis.OUT, out), 11, 1);
    // Values do not matter for speed, places in memory do: the last matrix, whose product is
    // compared, is another one, and every engine keeps a copy of each.
    Shape shape = Shape.of(Axis.IN, in, Axis.OUT, out);
    if (pool > 1) {
      weights.addAll(Collections.nCopies(pool - 1, GeneratedModel.values(shape, 12, 0.02)));
    }
    weights.add(GeneratedModel.values(shape, 13, 0.02));
    ours = new Ours();
  }

  /**
   * Returns a product of many rows, limited by multiply-adds.
   *
   * @param rows of x
   * @param in columns of x
   * @param out columns of the result
   * @param backend computes
   */
  public static ProductWork manyRows(int rows, int in, int out, Backend backend) {
    return new ProductWork(rows, in, out, 1, Bound.FMA, backend);
  }

  /**
   * Returns products of few rows with as many matrices as fill so many bytes, limited by reading.
   *
   * @param rows of x
   * @param in columns of x
   * @param out columns of the result
   * @param bytes of all matrices together, at the most; at least one matrix is used
   * @param backend computes
   */
  public static ProductWork fewRows(int rows, int in, int out, long bytes, Backend backend) {
    long one = (long) in * out * Float.BYTES;
    int pool = Math.toIntExact(Math.max(1, bytes / one));
    return new ProductWork(rows, in, out, pool, Bound.READ, backend);
  }

  @Override
  public String name() {
    return "product " + rows + " x " + in + " x " + out;
  }

  @Override
  public Bound bound() {
    return bound;
  }

  @Override
  public double amount() {
    return bound == Bound.FMA ? flop() : (double) Float.BYTES * in * out * weights.size();
  }

  /** Returns the operations of one run. */
  public double flop() {
    return 2.0 * rows * in * out * weights.size();
  }

  /** Returns the input, [row, in]. */
  public Tensor x() {
    return x;
  }

  /** Returns the matrices, each [in, out]. */
  public List<Tensor> weights() {
    return weights;
  }

  /** Returns what is added, [out]. */
  public Tensor bias() {
    return bias;
  }

  /**
   * Returns the part of a result that is compared: its first rows.
   *
   * @param result [row, out], row-major, with the bias of {@link #bias} or without
   * @param addBias the bias, or zeros where the result has it already
   */
  public float[] part(float[] result, float[] addBias) {
    float[] part = java.util.Arrays.copyOf(result, Math.min(CHECKED_ROWS, rows) * out);
    for (int i = 0; i < part.length; i++) {
      part[i] += addBias[i % out];
    }
    return part;
  }

  @Override
  public Ours ours() {
    return ours;
  }

  @Override
  public float[] expected() {
    try (Backend reference = Backends.named("scalar")) {
      Tensor some = x.slice(Axis.ROW, 0, Math.min(CHECKED_ROWS, rows));
      Tensor result = Tensor.zeros(Shape.of(Axis.ROW, some.shape().size(Axis.ROW), Axis.OUT, out));
      Matrix last = reference.pack(weights.getLast());
      reference.linear(some, last, bias, Activation.IDENTITY, result);
      return result.toArray();
    }
  }

  // A chain of n terms of either sign in float32 is off by about √n·2^-24 of its typical term.
  @Override
  public double tolerance() {
    return 1e-6 * Math.sqrt(in);
  }

  /** By the library's backend, whose matrices are packed once. */
  public final class Ours implements Engine {
    private final List<Matrix> packed = new ArrayList<>();
    private final Tensor result = backend.allocate(Shape.of(Axis.ROW, rows, Axis.OUT, out));

    private Ours() {
      weights.forEach(w -> packed.add(backend.pack(w)));
    }

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      for (Matrix w : packed) {
        backend.linear(x, w, bias, Activation.IDENTITY, result);
      }
    }

    @Override
    public float[] sample() {
      return part(result.toArray(), new float[out]);
    }
  }
}
