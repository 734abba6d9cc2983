// What every kernel file shares. Plain C++ but for the qualifiers, so that the tests can compile the
// same sources for the processor (see cuda/src/test/native). Compiled with -fmad=false: a multiply
// and an add are one rounding only where fmaf() is written, so that the same expression has the
// same bits in every kernel it stands in.
//
// B batch, T queries, S keys, H heads, D d_head, R rows, C columns, V vocabulary.
#pragma once

#ifndef RESID_EMULATED
#define RESID_DYNAMIC_SHARED(type, name) \
  extern __shared__ __align__(16) unsigned char resid_dynamic[]; \
  type* name = reinterpret_cast<type*>(resid_dynamic)
#define RESID_KERNEL extern "C" __global__ void
#endif

#define RESID_WARP 32
#define RESID_ALL_LANES 0xffffffffu
#define RESID_INFINITY __int_as_float(0x7f800000)

typedef long long i64;

// The number of this thread among all, and how many there are, for loops over elements.
__device__ inline i64 firstElement() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }
__device__ inline i64 elementStride() { return (i64)gridDim.x * blockDim.x; }

// Rows that a block takes with one warp each, and this warp's row.
__device__ inline i64 warpRow() {
  return (i64)blockIdx.x * (blockDim.x / RESID_WARP) + threadIdx.x / RESID_WARP;
}
__device__ inline int lane() { return threadIdx.x % RESID_WARP; }

// Butterflies: every lane gets the result, in an order that depends on nothing.
__device__ inline double warpSum(double value) {
  for (int step = 16; step > 0; step /= 2) {
    value += __shfl_xor_sync(RESID_ALL_LANES, value, step);
  }
  return value;
}

__device__ inline float warpMax(float value) {
  for (int step = 16; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(RESID_ALL_LANES, value, step));
  }
  return value;
}

// The sum over the threads of a block of 256, as a tree; every thread gets it.
__device__ inline double blockSum(double value, double* shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      shared[threadIdx.x] += shared[threadIdx.x + half];
    }
    __syncthreads();
  }
  double sum = shared[0];
  __syncthreads();
  return sum;
}

__device__ inline double blockMax(double value, double* shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      shared[threadIdx.x] = fmax(shared[threadIdx.x], shared[threadIdx.x + half]);
    }
    __syncthreads();
  }
  double largest = shared[0];
  __syncthreads();
  return largest;
}

// The sum over the threads before this one in a block of 256; *total is the sum over all.
__device__ inline int blockSumBefore(int value, int* shared, int* total) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int step = 1; step < 256; step *= 2) {
    int other = threadIdx.x >= step ? shared[threadIdx.x - step] : 0;
    __syncthreads();
    shared[threadIdx.x] += other;
    __syncthreads();
  }
  int before = shared[threadIdx.x] - value;
  *total = shared[255];
  __syncthreads();
  return before;
}

// The softmax of one row of n values by one warp: lane l adds the exponentials of columns l, l + 32
// and so on in float64, then the lanes are added as a butterfly. Zeros at the end change nothing.
__device__ inline void warpSoftmax(const float* x, float* out, int n) {
  float largest = -RESID_INFINITY;
  for (int c = lane(); c < n; c += RESID_WARP) {
    largest = fmaxf(largest, x[c]);
  }
  largest = warpMax(largest);
  double sum = 0;
  for (int c = lane(); c < n; c += RESID_WARP) {
    float e = expf(x[c] - largest);
    out[c] = e;
    sum += e;
  }
  sum = warpSum(sum);
  for (int c = lane(); c < n; c += RESID_WARP) {
    out[c] = (float)(out[c] / sum);
  }
}
