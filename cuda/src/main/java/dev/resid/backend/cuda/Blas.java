package dev.resid.backend.cuda;

/**
 * The one matrix product everything is made of, in cuBLAS's convention: matrices lie by columns.
 * Three implementations: JCuda's binding of cuBLAS 12, one of this module's own to whatever major
 * version there is, and kernels of this module that need no cuBLAS.
 */
interface Blas extends AutoCloseable {
  /** How an operand is taken. The numbers are those of cuBLAS. */
  enum Op {
    /** As it lies. */
    PLAIN,
    /** Transposed. */
    TRANSPOSED
  }

  /**
   * Sizes of a product of an m by k and a k by n matrix.
   *
   * @param m rows of the result
   * @param n columns of the result
   * @param k terms of every sum
   */
  record Sizes(int m, int n, int k) {}

  /**
   * A matrix on the device.
   *
   * @param address of its first number
   * @param op how it is taken
   * @param step from one column to the next
   */
  record Operand(long address, Op op, int step) {}

  /**
   * c = op(a)·op(b) + beta·c.
   *
   * @param beta 0 or 1
   * @param c its op is ignored
   */
  void multiply(Sizes sizes, Operand a, Operand b, float beta, Operand c);

  /** Returns what multiplies, with its version. */
  String description();

  /** Frees what it holds. */
  @Override
  void close();
}
