package dev.resid.backend.cuda;

/**
 * Products by a kernel of this module: slower than cuBLAS, needs nothing but the driver, and gives
 * a row the same bits whatever other rows are in the call, as the backends on the CPU do.
 */
final class KernelBlas implements Blas {
  private static final int TILE = 64;

  private final Kernels kernels;
  private final int mostRows;

  KernelBlas(Kernels kernels) {
    this(kernels, Kernels.MOST_Y * TILE);
  }

  /**
   * Creates it with launches of at most so many rows.
   *
   * @param mostRows a multiple of 64
   */
  KernelBlas(Kernels kernels, int mostRows) {
    this.kernels = kernels;
    this.mostRows = mostRows;
  }

  // The kernel lies by rows: its rows are the columns here, and a and b change places.
  @Override
  public void multiply(Sizes n, Operand a, Operand b, float beta, Operand c) {
    if (n.m() == 0 || n.n() == 0) {
      return;
    }
    boolean plainA = a.op() == Op.PLAIN;
    long rowB = b.op() == Op.PLAIN ? b.step() : 1;
    long stepB = b.op() == Op.PLAIN ? 1 : b.step();
    for (long row = 0; row < n.n(); row += mostRows) {
      int rows = (int) Math.min(mostRows, n.n() - row);
      kernels
          .launch("resid_product")
          .pointer(b.address() + Float.BYTES * row * rowB)
          .number(rowB)
          .number(stepB)
          .pointer(a.address())
          .number((long) (plainA ? a.step() : 1))
          .number((long) (plainA ? 1 : a.step()))
          .pointer(c.address() + Float.BYTES * row * c.step())
          .number((long) c.step())
          .number(rows)
          .number(n.m())
          .number(n.k())
          .number(beta == 0 ? 0 : 1)
          .grid((n.m() + TILE - 1) / TILE, (rows + TILE - 1) / TILE);
    }
  }

  @Override
  public String description() {
    return "products by own kernels";
  }

  @Override
  public void close() {
    // The kernels belong to the device.
  }
}
