// Reductions over the vocabulary, in float64. The sums of a row over a range of columns are kept as
// (largest logit, sum of exponentials less it), so that the logits can come in tiles.
#include "common.cuh"

// Per row: largest and sum of the logits themselves; for the divergence also those of the base run
// and sum of exp(base - largest of base) * (base - perturbed).
#define RESID_STATE 5

RESID_KERNEL resid_state_clear(double* state, i64 R) {
  for (i64 i = firstElement(); i < R * RESID_STATE; i += elementStride()) {
    int part = (int)(i % RESID_STATE);
    state[i] = part == 0 || part == 2 ? -(double)RESID_INFINITY : 0;
  }
}

// Factor on a sum when the largest logit it is relative to grows; 0 for an empty sum.
__device__ inline double rescale(double before, double after) {
  return before == after ? 1 : exp(before - after);
}

__device__ inline double largestOf(const float* x, const float* bias, int n, double* shared) {
  double largest = -(double)RESID_INFINITY;
  for (int v = threadIdx.x; v < n; v += 256) {
    largest = fmax(largest, (double)x[v] + (bias ? bias[v] : 0.0f));
  }
  return blockMax(largest, shared);
}

// Adds a tile of logits to the state; bias may be null. An infinite logit makes the sum NaN, a tile
// that is ruled out altogether adds nothing.
__device__ inline void addTile(
    const float* x, const float* bias, int n, double* state, double* shared) {
  double before = state[0];
  double largest = fmax(before, largestOf(x, bias, n, shared));
  double sum = 0;
  if (largest != -(double)RESID_INFINITY) {
    for (int v = threadIdx.x; v < n; v += 256) {
      sum += exp((double)x[v] + (bias ? bias[v] : 0.0f) - largest);
    }
  } else {
    for (int v = threadIdx.x; v < n; v += 256) {
      double logit = (double)x[v] + (bias ? bias[v] : 0.0f);
      sum += logit != logit ? logit : 0;
    }
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0) {
    state[0] = largest;
    state[1] = state[1] * rescale(before, largest) + sum;
  }
  __syncthreads();
}

// Adds columns first .. first + n - 1 of the logits of row blockIdx.x. Where the row's label is among
// them, picked[row] is its logit; labels may be null.
RESID_KERNEL resid_vocabulary_tile(
    const float* logits, i64 rowStep, const float* bias, int first, int n, const int* labels,
    double* picked, double* state) {
  __shared__ double shared[256];
  i64 r = blockIdx.x;
  const float* row = logits + r * rowStep;
  addTile(row, bias, n, state + r * RESID_STATE, shared);
  if (labels != 0 && threadIdx.x == 0) {
    int label = labels[r];
    if (label >= first && label < first + n) {
      picked[r] = (double)row[label - first] + (bias ? bias[label - first] : 0.0f);
    }
  }
}

// The same for a row of the base run and the row that is compared with it.
RESID_KERNEL resid_kl_tile(
    const float* base, const float* perturbed, i64 rowStep, const float* bias, int n, double* state) {
  __shared__ double shared[256];
  i64 r = blockIdx.x;
  const float* p = base + r * rowStep;
  const float* q = perturbed + r * rowStep;
  double* own = state + r * RESID_STATE;
  double before = own[2];
  addTile(q, bias, n, own, shared);
  addTile(p, bias, n, own + 2, shared);
  double largest = own[2];
  double sum = 0;
  for (int v = threadIdx.x; v < n; v += 256) {
    double weight = exp((double)p[v] + bias[v] - largest);
    if (weight != 0 && largest != -(double)RESID_INFINITY) {
      // The bias is in both and cancels.
      sum += weight * ((double)p[v] - q[v]);
    }
  }
  sum = blockSum(sum, shared);
  if (threadIdx.x == 0) {
    double factor = rescale(before, largest);
    own[4] = (factor == 0 ? 0 : own[4] * factor) + sum;
  }
}

__device__ inline double logSum(const double* state) {
  return state[1] == 0 ? (double)__int_as_float(0x7fc00000) : state[0] + log(state[1]);
}

RESID_KERNEL resid_log_sum_exp_finish(const double* state, double* out, i64 R) {
  for (i64 r = firstElement(); r < R; r += elementStride()) {
    out[r] = logSum(state + r * RESID_STATE);
  }
}

RESID_KERNEL resid_cross_entropy_finish(
    const double* state, const int* labels, const double* picked, double* out, i64 R) {
  for (i64 r = firstElement(); r < R; r += elementStride()) {
    out[r] = labels[r] < 0 ? 0 : logSum(state + r * RESID_STATE) - picked[r];
  }
}

// sum p (ln p - ln q) = sum p (base - perturbed) - (logSum of base - logSum of perturbed).
RESID_KERNEL resid_kl_finish(const double* state, double* out, i64 R) {
  for (i64 r = firstElement(); r < R; r += elementStride()) {
    const double* own = state + r * RESID_STATE;
    out[r] = own[4] / own[3] - (logSum(own + 2) - logSum(own));
  }
}

RESID_KERNEL resid_cross_entropy_backward(
    const float* logits, const int* labels, double weight, const double* state, float* dLogits,
    i64 n, int V) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    i64 r = i / V;
    int v = (int)(i - r * V);
    int label = labels[r];
    if (label < 0) {
      dLogits[i] = 0;
    } else {
      double p = exp(logits[i] - logSum(state + r * RESID_STATE));
      dLogits[i] = (float)(weight * (p - (v == label ? 1 : 0)));
    }
  }
}
