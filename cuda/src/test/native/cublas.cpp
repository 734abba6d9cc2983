// A stand-in for libcublas for tests: the functions that the backend calls, with plain loops and one
// chain of fused multiply-adds an output. It checks its arguments and the context as cuBLAS does,
// rounds factors as tensor cores do when it is asked to, and goes the other way round where a result
// is not aligned, because cuBLAS picks other kernels there, too.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {
struct Handle {
  int mathMode = 0;
  int atomics = 0;
  void* stream = nullptr;
  int device = -1;
};
const int kInvalidValue = 7, kMappingError = 11;
const int kMathTf32 = 3;

// To 10 explicit bits of mantissa, to nearest, ties away from zero: cvt.rna.tf32.f32.
float toTf32(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7f800000u) != 0x7f800000u) {
    bits = (bits + 0x1000u) & ~0x1fffu;
  }
  std::memcpy(&x, &bits, 4);
  return x;
}

long products;
int lastMathMode;

// Calls the stand-in for the driver, which is there before this one.
template <class... A>
int driver(const char* name, A... arguments) {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  void* function = library == nullptr ? nullptr : dlsym(library, name);
  return function == nullptr ? -1 : reinterpret_cast<int (*)(A...)>(function)(arguments...);
}
int current() { return driver("resid_emulated_current"); }
}  // namespace

EXPORT long resid_emulated_products() { return products; }
EXPORT int resid_emulated_math_mode() { return lastMathMode; }

EXPORT int cublasCreate_v2(Handle** handle) {
  *handle = new Handle();
  (*handle)->device = current();
  return (*handle)->device < 0 ? 1 : 0;
}
EXPORT int cublasDestroy_v2(Handle* handle) {
  int result = handle->device == current() ? 0 : kMappingError;
  delete handle;
  return result;
}
EXPORT int cublasGetVersion_v2(Handle*, int* version) { return *version = RESID_CUBLAS_VERSION, 0; }
EXPORT int cublasSetStream_v2(Handle* handle, void* stream) {
  handle->stream = stream;
  return stream == (void*)(uintptr_t)(0x5100 + handle->device) ? 0 : kInvalidValue;
}
EXPORT int cublasSetWorkspace_v2(Handle*, void* workspace, size_t bytes) {
  return workspace != nullptr && bytes > 0 ? 0 : kInvalidValue;
}
EXPORT int cublasSetPointerMode_v2(Handle*, int mode) { return mode == 0 ? 0 : kInvalidValue; }
EXPORT int cublasSetAtomicsMode(Handle* handle, int mode) { return handle->atomics = mode, 0; }
EXPORT int cublasSetMathMode(Handle* handle, int mode) { return handle->mathMode = mode, 0; }
EXPORT int cublasGetMathMode(Handle* handle, int* mode) { return *mode = handle->mathMode, 0; }

EXPORT int cublasSgemm_v2(
    Handle* handle, int opA, int opB, int m, int n, int k, const float* alpha, const float* a,
    int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  if (handle->stream == nullptr || m < 0 || n < 0 || k < 0 || opA < 0 || opA > 1 || opB < 0
      || opB > 1 || lda < std::max(1, opA == 0 ? m : k) || ldb < std::max(1, opB == 0 ? k : n)
      || ldc < std::max(1, m)) {
    return kInvalidValue;
  }
  if (handle->device != current() || driver("resid_emulated_wait", handle->stream) < 0) {
    return kMappingError;
  }
  products++;
  lastMathMode = handle->mathMode;
  const bool rounded = handle->mathMode == kMathTf32;
  const bool aligned = (uintptr_t)c % 16 == 0;
  // Every output is one chain over ascending or descending terms, whichever loop is inside.
  std::vector<float> sums(m);
  for (int j = 0; j < n; j++) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (int step = 0; step < k; step++) {
      int l = aligned ? step : k - 1 - step;
      float right = opB == 0 ? b[l + (size_t)j * ldb] : b[j + (size_t)l * ldb];
      for (int i = 0; i < m; i++) {
        float left = opA == 0 ? a[i + (size_t)l * lda] : a[l + (size_t)i * lda];
        sums[i] = rounded ? std::fma(toTf32(left), toTf32(right), sums[i])
                          : std::fma(left, right, sums[i]);
      }
    }
    for (int i = 0; i < m; i++) {
      float* to = c + i + (size_t)j * ldc;
      *to = *alpha * sums[i] + (*beta == 0 ? 0 : *beta * *to);
    }
  }
  return 0;
}
