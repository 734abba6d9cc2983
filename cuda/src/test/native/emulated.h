// What the kernels' sources need to be compiled for the processor: blocks one after the other, the
// threads of a block as fibers that take turns at barriers and shuffles, in an order that tests
// choose. A barrier that threads of a block reach at different lines, and a shuffle that not all 32
// lanes reach, end the process; shared memory begins as NaN in every block. It shows nothing about
// timing or the PTX.
#pragma once
#define RESID_EMULATED
#include <cmath>
#include <cstdint>
#include <cstring>

struct EmulatedIndex {
  unsigned x, y, z;
};

extern EmulatedIndex* emulatedThread;
extern EmulatedIndex emulatedBlock, emulatedBlockSize, emulatedGridSize;
extern unsigned char* emulatedDynamic;
void emulatedBlockBarrier(int line);
double emulatedExchange(double value, unsigned mask, int step, int line);

#define threadIdx (*emulatedThread)
#define blockIdx emulatedBlock
#define blockDim emulatedBlockSize
#define gridDim emulatedGridSize
#define __device__ static
#define __shared__ static __attribute__((section("resid_shared")))
#define __syncthreads() emulatedBlockBarrier(__LINE__)
#define __shfl_xor_sync(mask, value, step) emulatedShuffle(mask, value, step, __LINE__)
#define RESID_KERNEL static void
#define RESID_DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(emulatedDynamic)

static inline double emulatedShuffle(unsigned mask, double value, int step, int line) {
  return emulatedExchange(value, mask, step, line);
}
static inline float emulatedShuffle(unsigned mask, float value, int step, int line) {
  return (float)emulatedExchange(value, mask, step, line);
}
static inline float __int_as_float(int bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
static inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
static inline int atomicAdd(int* at, int more) {
  int before = *at;
  *at += more;
  return before;
}
