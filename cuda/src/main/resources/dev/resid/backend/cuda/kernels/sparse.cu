// The largest entries of rows, and products of which few entries are kept. One block of 256 threads
// a row; thread i takes the i-th of 256 runs of columns, so that what it finds is in order.
#include "common.cuh"

// A number that is larger where the value is: 0 for NaN, equal for 0 and -0.
__device__ inline unsigned sortKey(float value) {
  if (value != value) {
    return 0;
  }
  unsigned bits = (unsigned)__float_as_int(value + 0.0f);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

__device__ inline float scaled(const float* row, const float* bias, const float* scale, int c) {
  return scale == 0 ? row[c] : (row[c] + bias[c]) * scale[c] + 0.0f;
}

// Finds the k largest of n, ties by lowest index, and writes them in ascending order of index.
// Four rounds of counting narrow down the key of the k-th, eight bits a round.
__device__ inline void largest(
    const float* row, const float* bias, const float* scale, int n, int k, int* indices,
    float* values) {
  __shared__ int counts[256];
  __shared__ int scan[256];
  __shared__ unsigned prefix;
  __shared__ int wanted;
  if (threadIdx.x == 0) {
    prefix = 0;
    wanted = k;
  }
  __syncthreads();
  for (int shift = 24; shift >= 0; shift -= 8) {
    counts[threadIdx.x] = 0;
    __syncthreads();
    unsigned mask = shift == 24 ? 0 : 0xffffffffu << (shift + 8);
    unsigned found = prefix;
    for (int c = threadIdx.x; c < n; c += 256) {
      unsigned key = sortKey(scaled(row, bias, scale, c));
      if ((key & mask) == found) {
        atomicAdd(&counts[(key >> shift) & 255], 1);
      }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int left = wanted;
      int digit = 255;
      while (digit > 0 && counts[digit] < left) {
        left -= counts[digit];
        digit--;
      }
      wanted = left;
      prefix = found | ((unsigned)digit << shift);
    }
    __syncthreads();
  }
  // All keys above prefix are taken, and the first `wanted` that are equal to it.
  int run = (n + 255) / 256;
  int from = threadIdx.x * run < n ? threadIdx.x * run : n;
  int to = from + run < n ? from + run : n;
  int above = 0;
  int equal = 0;
  for (int c = from; c < to; c++) {
    unsigned key = sortKey(scaled(row, bias, scale, c));
    above += key > prefix;
    equal += key == prefix;
  }
  int total;
  int aboveBefore = blockSumBefore(above, scan, &total);
  int equalBefore = blockSumBefore(equal, scan, &total);
  int place = aboveBefore + (equalBefore < wanted ? equalBefore : wanted);
  for (int c = from; c < to; c++) {
    float value = scaled(row, bias, scale, c);
    unsigned key = sortKey(value);
    if (key > prefix || (key == prefix && equalBefore++ < wanted)) {
      indices[place] = c;
      values[place++] = value;
    }
  }
  __syncthreads();
}

RESID_KERNEL resid_linear_top_k(
    const float* y, const float* bias, const float* scale, int n, int k, int* indices,
    float* values) {
  i64 r = blockIdx.x;
  largest(y + r * n, bias, scale, n, k, indices + r * k, values + r * k);
}

// The same of the values themselves, then in descending order; unsorted is working memory.
RESID_KERNEL resid_top_k(
    const float* x, int n, int k, int* unsorted, float* unsortedValues, int* indices,
    float* values) {
  i64 r = blockIdx.x;
  largest(x + r * n, 0, 0, n, k, unsorted + r * k, unsortedValues + r * k);
  for (int i = threadIdx.x; i < k; i += 256) {
    float value = unsortedValues[r * k + i];
    unsigned key = sortKey(value);
    int place = 0;
    for (int j = 0; j < k; j++) {
      unsigned other = sortKey(unsortedValues[r * k + j]);
      place += other > key || (other == key && j < i);
    }
    indices[r * k + place] = unsorted[r * k + i];
    values[r * k + place] = value;
  }
}

__device__ inline bool keeps(float value, float threshold) {
  return value > threshold || value != value;
}

RESID_KERNEL resid_count_above(
    const float* y, const float* bias, const float* threshold, int n, int* counts) {
  __shared__ int scan[256];
  i64 r = blockIdx.x;
  int count = 0;
  for (int c = threadIdx.x; c < n; c += 256) {
    count += keeps(y[r * n + c] + bias[c], threshold[c]);
  }
  int total;
  blockSumBefore(count, scan, &total);
  if (threadIdx.x == 0) {
    counts[r] = total;
  }
}

RESID_KERNEL resid_keep_above(
    const float* y, const float* bias, const float* threshold, int n, const i64* starts,
    int* indices, float* values) {
  __shared__ int scan[256];
  i64 r = blockIdx.x;
  int run = (n + 255) / 256;
  int from = threadIdx.x * run < n ? threadIdx.x * run : n;
  int to = from + run < n ? from + run : n;
  int count = 0;
  for (int c = from; c < to; c++) {
    count += keeps(y[r * n + c] + bias[c], threshold[c]);
  }
  int total;
  i64 place = starts[r] + blockSumBefore(count, scan, &total);
  for (int c = from; c < to; c++) {
    float value = y[r * n + c] + bias[c];
    if (keeps(value, threshold[c])) {
      indices[place] = c;
      values[place++] = value;
    }
  }
}

// out[r, c] = sum over the kept pairs of row r of value * w[index, c], ascending, plus bias[c].
RESID_KERNEL resid_sparse_linear(
    const i64* starts, const int* indices, const float* values, const float* w, const float* bias,
    float* out, int C) {
  i64 r = blockIdx.x;
  for (int c = threadIdx.x; c < C; c += blockDim.x) {
    float sum = 0;
    for (i64 at = starts[r]; at < starts[r + 1]; at++) {
      sum = fmaf(values[at], w[(i64)indices[at] * C + c], sum);
    }
    out[r * C + c] = sum + bias[c];
  }
}
