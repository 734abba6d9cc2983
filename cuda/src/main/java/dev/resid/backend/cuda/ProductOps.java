package dev.resid.backend.cuda;

import dev.resid.backend.cuda.Blas.Op;
import dev.resid.backend.cuda.Blas.Operand;
import dev.resid.backend.cuda.Blas.Sizes;

/**
 * Products of row-major matrices. cuBLAS takes a matrix by columns, so what lies row-major as [r,
 * c] is for it a c by r matrix: every product here is the transposed one, with its factors
 * exchanged.
 */
final class ProductOps {
  private final Blas blas;

  ProductOps(Blas blas) {
    this.blas = blas;
  }

  /**
   * A row-major matrix on the device.
   *
   * @param address of its first number
   * @param columns numbers of a row that are used
   * @param step from one row to the next
   */
  record Rows(long address, int columns, int step) {
    static Rows of(long address, int columns) {
      return new Rows(address, columns, columns);
    }
  }

  /** out[r, j] = Σ_i x[r, i]·w[i, j]. */
  void multiply(int rows, Rows x, Rows w, Rows out) {
    if (rows > 0 && w.columns > 0) {
      blas.multiply(new Sizes(w.columns, rows, x.columns), plain(w), plain(x), 0, plain(out));
    }
  }

  /** dX[r, i] = Σ_j dOut[r, j]·w[i, j]. */
  void multiplyTransposed(int rows, Rows dOut, Rows w, Rows dX) {
    if (rows > 0 && dX.columns > 0) {
      blas.multiply(
          new Sizes(dX.columns, rows, dOut.columns), transposed(w), plain(dOut), 0, plain(dX));
    }
  }

  /** sum[i, j] += Σ_r a[r, i]·b[r, j]. */
  void addOuterProducts(int rows, Rows a, Rows b, Rows sum) {
    if (rows > 0 && a.columns > 0 && b.columns > 0) {
      blas.multiply(new Sizes(b.columns, a.columns, rows), plain(b), transposed(a), 1, plain(sum));
    }
  }

  // cuBLAS refuses a step of 0, also where a matrix has no elements.
  private static Operand plain(Rows rows) {
    return new Operand(rows.address, Op.PLAIN, Math.max(1, rows.step));
  }

  private static Operand transposed(Rows rows) {
    return new Operand(rows.address, Op.TRANSPOSED, Math.max(1, rows.step));
  }
}
