package dev.resid.backend.cuda;

/**
 * Products by a kernel of this module: slower than cuBLAS, needs nothing but the driver, and gives
 * a row the same bits whatever other rows are in the call, as the backends on the CPU do.
 */
final class KernelBlas implements Blas {
  private static final int TILE = 64;

  private final Kernels kernels;

  KernelBlas(Kernels kernels) {
    this.kernels = kernels;
  }

  // The kernel lies by rows: its rows are the columns here, and a and b change places.
  @Override
  public void multiply(Sizes n, Operand a, Operand b, float beta, Operand c) {
    if (n.m() == 0 || n.n() == 0) {
      return;
    }
    boolean plainA = a.op() == Op.PLAIN;
    boolean plainB = b.op() == Op.PLAIN;
    kernels
        .launch("resid_product")
        .pointer(b.address())
        .number((long) (plainB ? b.step() : 1))
        .number((long) (plainB ? 1 : b.step()))
        .pointer(a.address())
        .number((long) (plainA ? a.step() : 1))
        .number((long) (plainA ? 1 : a.step()))
        .pointer(c.address())
        .number((long) c.step())
        .number(n.n())
        .number(n.m())
        .number(n.k())
        .number(beta == 0 ? 0 : 1)
        .grid((n.m() + TILE - 1) / TILE, (n.n() + TILE - 1) / TILE);
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
