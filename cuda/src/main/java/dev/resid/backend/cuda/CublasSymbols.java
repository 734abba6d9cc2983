package dev.resid.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * The functions of cuBLAS that this module calls, with their C prototypes, which are the same in
 * CUDA 11, 12 and 13. All return a status. Exported under the names with {@code _v2} where there
 * are two.
 */
enum CublasSymbols {
  CREATE("cublasCreate_v2", ADDRESS),
  DESTROY("cublasDestroy_v2", ADDRESS),
  GET_VERSION("cublasGetVersion_v2", ADDRESS, ADDRESS),
  SET_STREAM("cublasSetStream_v2", ADDRESS, ADDRESS),
  SET_WORKSPACE("cublasSetWorkspace_v2", ADDRESS, ADDRESS, JAVA_LONG),
  SET_POINTER_MODE("cublasSetPointerMode_v2", ADDRESS, JAVA_INT),
  SET_ATOMICS_MODE("cublasSetAtomicsMode", ADDRESS, JAVA_INT),
  SET_MATH_MODE("cublasSetMathMode", ADDRESS, JAVA_INT),
  GET_MATH_MODE("cublasGetMathMode", ADDRESS, ADDRESS),
  SGEMM(
      "cublasSgemm_v2",
      ADDRESS,
      JAVA_INT,
      JAVA_INT,
      JAVA_INT,
      JAVA_INT,
      JAVA_INT,
      ADDRESS,
      ADDRESS,
      JAVA_INT,
      ADDRESS,
      JAVA_INT,
      ADDRESS,
      ADDRESS,
      JAVA_INT);

  private final String symbol;
  private final MemoryLayout[] parameters;

  CublasSymbols(String symbol, MemoryLayout... parameters) {
    this.symbol = symbol;
    this.parameters = parameters;
  }

  /** Returns the exported name. */
  String symbol() {
    return symbol;
  }

  /** Returns the function as a handle that takes the C parameters and returns the status. */
  @SuppressWarnings("restricted") // the prototypes above are those of the library
  MethodHandle bind(SymbolLookup library) {
    return Linker.nativeLinker()
        .downcallHandle(
            library.findOrThrow(symbol), FunctionDescriptor.of(JAVA_INT, parameters.clone()));
  }

  /** Returns the names that a library lacks. */
  static List<String> missing(SymbolLookup library) {
    List<String> missing = new ArrayList<>();
    for (CublasSymbols function : values()) {
      if (library.find(function.symbol).isEmpty()) {
        missing.add(function.symbol);
      }
    }
    return missing;
  }
}
