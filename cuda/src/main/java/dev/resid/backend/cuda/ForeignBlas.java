package dev.resid.backend.cuda;

import dev.resid.backend.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.Map;

/** cuBLAS of any major version, bound by {@code java.lang.foreign}. */
final class ForeignBlas implements Blas {
  private static final int MATH_DEFAULT = 0;
  private static final int MATH_TF32 = 3;

  private static final Map<Integer, String> STATUS =
      Map.of(
          1, "CUBLAS_STATUS_NOT_INITIALIZED",
          3, "CUBLAS_STATUS_ALLOC_FAILED",
          7, "CUBLAS_STATUS_INVALID_VALUE",
          8, "CUBLAS_STATUS_ARCH_MISMATCH",
          11, "CUBLAS_STATUS_MAPPING_ERROR",
          13, "CUBLAS_STATUS_EXECUTION_FAILED",
          14, "CUBLAS_STATUS_INTERNAL_ERROR",
          15, "CUBLAS_STATUS_NOT_SUPPORTED");

  private final Map<CublasSymbols, MethodHandle> functions = new EnumMap<>(CublasSymbols.class);
  private final MethodHandle sgemm;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment handle;
  private final MemorySegment one;
  private final MemorySegment zero;
  private final String description;

  /**
   * Starts cuBLAS.
   *
   * @param library where its functions are
   * @param from what it was opened as, for the description
   * @param stream address of the stream
   */
  ForeignBlas(
      SymbolLookup library,
      String from,
      long stream,
      Precision precision,
      long workspace,
      long workspaceBytes) {
    for (CublasSymbols function : CublasSymbols.values()) {
      functions.put(function, function.bind(library));
    }
    sgemm = functions.get(CublasSymbols.SGEMM);
    one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
    zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
    MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
    call("start cuBLAS", CublasSymbols.CREATE, out);
    handle = out.get(ValueLayout.ADDRESS, 0);
    call("set cuBLAS's stream", CublasSymbols.SET_STREAM, handle, MemorySegment.ofAddress(stream));
    call(
        "set cuBLAS's workspace",
        CublasSymbols.SET_WORKSPACE,
        handle,
        MemorySegment.ofAddress(workspace),
        workspaceBytes);
    call("have factors on the host", CublasSymbols.SET_POINTER_MODE, handle, 0);
    call("forbid cuBLAS atomics", CublasSymbols.SET_ATOMICS_MODE, handle, 0);
    int mode = precision == Precision.TF32 ? MATH_TF32 : MATH_DEFAULT;
    call("set cuBLAS's precision", CublasSymbols.SET_MATH_MODE, handle, mode);
    MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
    call("read cuBLAS's precision", CublasSymbols.GET_MATH_MODE, handle, number);
    if (number.get(ValueLayout.JAVA_INT, 0) != mode) {
      throw new CudaFailureException(
          "CUBLAS_STATUS_NOT_SUPPORTED", "cuda: cuBLAS did not take the math mode " + mode + ".");
    }
    call("ask for cuBLAS's version", CublasSymbols.GET_VERSION, handle, number);
    description = "cuBLAS " + version(number.get(ValueLayout.JAVA_INT, 0)) + " (" + from + ")";
  }

  /** Returns 12.6.4 for 120604, and 11.4.2 for 11402: the factor changed with cuBLAS 12. */
  static String version(int number) {
    int major = number >= 100000 ? 10000 : 1000;
    return number / major + "." + number % major / 100 + "." + number % 100;
  }

  private void call(String doing, CublasSymbols function, Object... arguments) {
    int status;
    try {
      status = (int) functions.get(function).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new IllegalStateException("the call of " + function.symbol() + " is wrong", e);
    }
    check(doing, status);
  }

  private static void check(String doing, int status) {
    if (status != 0) {
      String name = STATUS.getOrDefault(status, "status " + status);
      throw new CudaFailureException(
          name, "cuda: cannot " + doing + ": cuBLAS reports " + name + ".");
    }
  }

  @Override
  public void multiply(Sizes n, Operand a, Operand b, float beta, Operand c) {
    // Not within the call, whose signature is made of the types of its arguments.
    MemorySegment factor = beta == 0 ? zero : one;
    int status;
    try {
      status =
          (int)
              sgemm.invokeExact(
                  handle,
                  a.op().ordinal(),
                  b.op().ordinal(),
                  n.m(),
                  n.n(),
                  n.k(),
                  one,
                  MemorySegment.ofAddress(a.address()),
                  a.step(),
                  MemorySegment.ofAddress(b.address()),
                  b.step(),
                  factor,
                  MemorySegment.ofAddress(c.address()),
                  c.step());
    } catch (Throwable e) {
      throw new IllegalStateException("the call of cublasSgemm_v2 is wrong", e);
    }
    check("multiply matrices", status);
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    call("end cuBLAS", CublasSymbols.DESTROY, handle);
    arena.close();
  }
}
