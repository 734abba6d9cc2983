// Kernels of whole rows, one warp a row, with sums in float64.
#include "common.cuh"

__device__ inline double rowMean(const float* x, int C) {
  double sum = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    sum += x[c];
  }
  return warpSum(sum) / C;
}

RESID_KERNEL resid_layer_norm_scale(const float* x, double epsilon, float* scale, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  const float* row = x + r * C;
  double mean = rowMean(row, C);
  double squares = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    double centred = row[c] - mean;
    squares += centred * centred;
  }
  squares = warpSum(squares);
  if (lane() == 0) {
    scale[r] = (float)sqrt(squares / C + epsilon);
  }
}

RESID_KERNEL resid_layer_norm_apply(
    const float* x, const float* scale, const float* gamma, const float* beta, float* out, i64 R,
    int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  const float* row = x + r * C;
  double mean = rowMean(row, C);
  double s = scale[r];
  for (int c = lane(); c < C; c += RESID_WARP) {
    out[r * C + c] = (float)((row[c] - mean) / s * gamma[c] + beta[c]);
  }
}

RESID_KERNEL resid_layer_norm_apply_backward_input(
    const float* dOut, const float* scale, const float* gamma, float* dX, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  const float* row = dOut + r * C;
  double s = scale[r];
  double sum = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    sum += (double)row[c] * gamma[c] / s;
  }
  double mean = warpSum(sum) / C;
  for (int c = lane(); c < C; c += RESID_WARP) {
    dX[r * C + c] = (float)((double)row[c] * gamma[c] / s - mean);
  }
}

RESID_KERNEL resid_layer_norm_apply_backward_scale(
    const float* dOut, const float* x, const float* scale, const float* gamma, float* dScale, i64 R,
    int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  double mean = rowMean(x + r * C, C);
  double s = scale[r];
  double sum = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    sum += (double)dOut[r * C + c] * gamma[c] * (x[r * C + c] - mean);
  }
  sum = warpSum(sum);
  if (lane() == 0) {
    dScale[r] = (float)(-sum / (s * s));
  }
}

RESID_KERNEL resid_layer_norm_scale_backward(
    const float* dScale, const float* x, const float* scale, float* dX, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  double mean = rowMean(x + r * C, C);
  double factor = dScale[r] / ((double)C * scale[r]);
  for (int c = lane(); c < C; c += RESID_WARP) {
    dX[r * C + c] = (float)(dX[r * C + c] + factor * (x[r * C + c] - mean));
  }
}

RESID_KERNEL resid_row_means(const float* x, double* means, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  double mean = rowMean(x + r * C, C);
  if (lane() == 0) {
    means[r] = mean;
  }
}

// Sums over rows go in parts of RESID_PART rows: block (part, column group), one thread a column;
// then the parts are added in order. The grouping depends on the number of rows only. Parts come
// first because a grid has 2^31 - 1 blocks that way, and 65,535 the other.
#define RESID_PART 64

RESID_KERNEL resid_column_sums(const float* x, double* parts, i64 R, int C) {
  int c = blockIdx.y * blockDim.x + threadIdx.x;
  if (c >= C) {
    return;
  }
  i64 first = (i64)blockIdx.x * RESID_PART;
  i64 last = first + RESID_PART < R ? first + RESID_PART : R;
  double sum = 0;
  for (i64 r = first; r < last; r++) {
    sum += x[r * C + c];
  }
  parts[(i64)blockIdx.x * C + c] = sum;
}

// The sums of dOut * (x - mean) / scale.
RESID_KERNEL resid_column_sums_normalized(
    const float* dOut, const float* x, const float* scale, const double* means, double* parts,
    i64 R, int C) {
  int c = blockIdx.y * blockDim.x + threadIdx.x;
  if (c >= C) {
    return;
  }
  i64 first = (i64)blockIdx.x * RESID_PART;
  i64 last = first + RESID_PART < R ? first + RESID_PART : R;
  double sum = 0;
  for (i64 r = first; r < last; r++) {
    sum += dOut[r * C + c] * (x[r * C + c] - means[r]) / scale[r];
  }
  parts[(i64)blockIdx.x * C + c] = sum;
}

RESID_KERNEL resid_add_parts(const double* parts, int count, float* sums, int C) {
  int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= C) {
    return;
  }
  double sum = 0;
  for (int i = 0; i < count; i++) {
    sum += parts[(i64)i * C + c];
  }
  sums[c] = (float)(sums[c] + sum);
}

RESID_KERNEL resid_softmax(const float* x, float* out, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  warpSoftmax(x + r * C, out + r * C, C);
}

RESID_KERNEL resid_softmax_backward(const float* dP, const float* p, float* dX, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  double dot = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    dot += (double)p[r * C + c] * dP[r * C + c];
  }
  dot = warpSum(dot);
  for (int c = lane(); c < C; c += RESID_WARP) {
    dX[r * C + c] = (float)(p[r * C + c] * (dP[r * C + c] - dot));
  }
}

// sums[i] = the square root of the sum of (a - b) squared over row i; row i of a is compared with
// row i mod bRows of b.
RESID_KERNEL resid_l2_distance(const float* a, const float* b, i64 bRows, double* out, i64 R, int C) {
  i64 r = warpRow();
  if (r >= R) {
    return;
  }
  const float* left = a + r * C;
  const float* right = b + r % bRows * C;
  double sum = 0;
  for (int c = lane(); c < C; c += RESID_WARP) {
    double difference = (double)left[c] - right[c];
    sum += difference * difference;
  }
  sum = warpSum(sum);
  if (lane() == 0) {
    out[r] = sqrt(sum);
  }
}

// Block i sums the squares of elements i * 8192 to i * 8192 + 8191.
RESID_KERNEL resid_sum_of_squares(const float* x, double* parts, i64 n) {
  __shared__ double shared[256];
  i64 first = (i64)blockIdx.x * 8192;
  i64 last = first + 8192 < n ? first + 8192 : n;
  double sum = 0;
  for (i64 i = first + threadIdx.x; i < last; i += 256) {
    sum += (double)x[i] * x[i];
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = sum;
  }
}
