// What the kernels' sources need to be compiled for the processor: blocks one after the other, the
// threads of a block as fibers that take turns at barriers and shuffles. For tests of indexing,
// masks and shapes. It shows nothing about races, timing or the PTX.
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
void emulatedBlockBarrier();
double emulatedExchange(double value, int step);

#define threadIdx (*emulatedThread)
#define blockIdx emulatedBlock
#define blockDim emulatedBlockSize
#define gridDim emulatedGridSize
#define __device__ static
#define __shared__ static
#define __syncthreads() emulatedBlockBarrier()
#define RESID_KERNEL static void
#define RESID_DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(emulatedDynamic)

static inline double __shfl_xor_sync(unsigned, double value, int step) {
  return emulatedExchange(value, step);
}
static inline float __shfl_xor_sync(unsigned, float value, int step) {
  return (float)emulatedExchange(value, step);
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
