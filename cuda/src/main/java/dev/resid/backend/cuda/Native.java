package dev.resid.backend.cuda;

import jcuda.driver.CUstream;
import jcuda.runtime.cudaStream_t;

/** The address inside one of JCuda's objects. */
final class Native extends cudaStream_t {
  private Native(CUstream stream) {
    super(stream);
  }

  static long address(CUstream stream) {
    return new Native(stream).getNativePointer();
  }
}
