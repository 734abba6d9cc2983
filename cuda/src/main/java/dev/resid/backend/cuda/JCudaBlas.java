package dev.resid.backend.cuda;

import dev.resid.backend.Precision;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCuda. */
final class JCudaBlas implements Blas {
  private static final int MATH_DEFAULT = 0;
  private static final int MATH_TF32 = 3;
  private static final Pointer ONE = Pointer.to(new float[] {1});
  private static final Pointer ZERO = Pointer.to(new float[] {0});

  private final cublasHandle handle = new cublasHandle();
  private final String description;

  JCudaBlas(CUstream stream, Precision precision, long workspace, long workspaceBytes) {
    call("start cuBLAS", () -> JCublas2.cublasCreate(handle));
    call("set cuBLAS's stream", () -> JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
    call(
        "set cuBLAS's workspace",
        () -> JCublas2.cublasSetWorkspace(handle, Driver.pointer(workspace), workspaceBytes));
    call("forbid cuBLAS atomics", () -> JCublas2.cublasSetAtomicsMode(handle, 0));
    int mode = precision == Precision.TF32 ? MATH_TF32 : MATH_DEFAULT;
    call("set cuBLAS's precision", () -> JCublas2.cublasSetMathMode(handle, mode));
    int[] found = {-1};
    call("read cuBLAS's precision", () -> JCublas2.cublasGetMathMode(handle, found));
    if (found[0] != mode) {
      throw new CudaFailureException(
          "CUBLAS_STATUS_NOT_SUPPORTED", "cuda: cuBLAS did not take the math mode " + mode + ".");
    }
    int[] version = new int[1];
    call("ask for cuBLAS's version", () -> JCublas2.cublasGetVersion(handle, version));
    description = "cuBLAS " + ForeignBlas.version(version[0]) + " through JCuda";
  }

  private static void call(String doing, Driver.Step step) {
    try {
      step.run();
    } catch (CudaException e) {
      throw new CudaFailureException(
          Driver.errorName(e),
          "cuda: cannot " + doing + ": cuBLAS reports " + e.getMessage() + ".");
    }
  }

  @Override
  public void multiply(Sizes n, Operand a, Operand b, float beta, Operand c) {
    call(
        "multiply matrices",
        () ->
            JCublas2.cublasSgemm(
                handle,
                a.op().ordinal(),
                b.op().ordinal(),
                n.m(),
                n.n(),
                n.k(),
                ONE,
                Driver.pointer(a.address()),
                a.step(),
                Driver.pointer(b.address()),
                b.step(),
                beta == 0 ? ZERO : ONE,
                Driver.pointer(c.address()),
                c.step()));
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    call("end cuBLAS", () -> JCublas2.cublasDestroy(handle));
  }
}
