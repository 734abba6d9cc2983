// The gradient of causal attention without a pattern in memory: scores are computed again from
// queries and keys wherever they are needed, and what is kept of a row of the pattern is its largest
// score, the sum of its exponentials (from which every weight follows) and the sum of weights times
// their gradients. The bits are those of the kernels of the parts, one after the other: each sum has
// the same terms in the same order, and no thread adds to what another one writes.
//
// After Dao et al. 2022 (arXiv 2205.14135), section 3 and appendix B, but for the order of sums.
// D is at most what four tiles of D + 1 columns leave room for in a block's shared memory.
#include "attention.cuh"

// A weight of the pattern, from its score and what is kept of its row.
__device__ inline float patternWeight(float score, float largest, double sum) {
  float e = expf(score - largest);
  return (float)(e / sum);
}

// The gradient of a score, from its weight, the weight's gradient, and what is kept of its row.
__device__ inline float scoreGradient(float weight, float dWeight, double dot) {
  return (float)(weight * (dWeight - dot));
}

// A block goes over the keys that its queries see four times: for the largest score, for the sum, for
// the dot product, and for dQ. largest, sums and dots are [B, H, T]. Lane l sees keys l, l + 32 and so
// on, as in warpSoftmax.
RESID_KERNEL resid_attention_backward_queries(
    const float* q, const float* k, const float* v, const float* dZ, float* dQ, float* largest,
    double* sums, double* dots, int T, int S, int H, int D, int firstQuery, double scale) {
  RESID_DYNAMIC_SHARED(float, shared);
  int stride = D + 1;
  float* queries = shared;
  float* gradients = queries + RESID_QUERIES * stride;
  float* keys = gradients + RESID_QUERIES * stride;
  float* values = keys + RESID_KEYS * stride;
  float* dScores = values + RESID_KEYS * stride;
  QueryBlock own = queryBlock(T, S, H, D, firstQuery);
  loadHead(q + own.queryBTH, own.count, H, D, queries);
  loadHead(dZ + own.queryBTH, own.count, H, D, gradients);
  int t = threadIdx.x / RESID_WARP;
  int s = lane();
  // Keys that this warp's query sees.
  i64 seen = (i64)firstQuery + own.t0 + t + 1;
  float most = -RESID_INFINITY;
  double sum = 0;
  double dot = 0;
  float outputs[RESID_QUERIES];
  for (int i = 0; i < RESID_QUERIES; i++) {
    outputs[i] = 0;
  }
  for (int pass = 0; pass < 4; pass++) {
    for (int s0 = 0; s0 < own.visible; s0 += RESID_KEYS) {
      __syncthreads();
      int tile = own.visible - s0 < RESID_KEYS ? own.visible - s0 : RESID_KEYS;
      loadHead(k + own.keyBH + (i64)s0 * H * D, tile, H, D, keys);
      if (pass >= 2) {
        loadHead(v + own.keyBH + (i64)s0 * H * D, tile, H, D, values);
      }
      __syncthreads();
      if (t < own.count && s < tile && s0 + s < seen) {
        float x = score(queries + t * stride, keys + s * stride, D, scale);
        if (pass == 0) {
          most = fmaxf(most, x);
        } else if (pass == 1) {
          sum += expf(x - most);
        } else {
          float weight = patternWeight(x, most, sum);
          float dWeight = score(gradients + t * stride, values + s * stride, D, 1);
          if (pass == 2) {
            dot += (double)weight * dWeight;
          } else {
            dScores[t * RESID_KEYS + s] = scoreGradient(weight, dWeight, dot);
          }
        }
      }
      if (pass == 3) {
        __syncthreads();
        // Output i of this thread is element threadIdx.x + 256 i of [count, D].
        for (int i = 0; i < RESID_QUERIES; i++) {
          int at = threadIdx.x + 256 * i;
          if (at < own.count * D) {
            int row = at / D;
            i64 rowSeen = (i64)firstQuery + own.t0 + row + 1 - s0;
            float adding = outputs[i];
            for (int j = 0; j < tile && j < rowSeen; j++) {
              adding = fmaf(dScores[row * RESID_KEYS + j], keys[j * stride + (at - row * D)], adding);
            }
            outputs[i] = adding;
          }
        }
      }
    }
    if (t < own.count) {
      if (pass == 0) {
        most = warpMax(most);
      } else if (pass == 1) {
        sum = warpSum(sum);
      } else if (pass == 2) {
        dot = warpSum(dot);
      }
    }
  }
  if (t < own.count && s == 0) {
    i64 row = own.bh * T + own.t0 + t;
    largest[row] = most;
    sums[row] = sum;
    dots[row] = dot;
  }
  for (int i = 0; i < RESID_QUERIES; i++) {
    int at = threadIdx.x + 256 * i;
    if (at < own.count * D) {
      int row = at / D;
      dQ[own.queryBTH + (i64)row * H * D + (at - row * D)] = (float)(scale * outputs[i]);
    }
  }
}

// Here a block takes RESID_QUERIES keys of one head, one warp each, and goes over the queries that see
// them, ascending, one a lane. After resid_attention_backward_queries.
RESID_KERNEL resid_attention_backward_keys(
    const float* q, const float* k, const float* v, const float* dZ, const float* largest,
    const double* sums, const double* dots, float* dK, float* dV, int T, int S, int H, int D,
    int firstQuery, double scale) {
  RESID_DYNAMIC_SHARED(float, shared);
  int stride = D + 1;
  float* keys = shared;
  float* values = keys + RESID_QUERIES * stride;
  float* queries = values + RESID_QUERIES * stride;
  float* gradients = queries + RESID_KEYS * stride;
  float* weights = gradients + RESID_KEYS * stride;
  float* dScores = weights + RESID_QUERIES * RESID_KEYS;
  i64 b = blockIdx.y / H;
  int h = blockIdx.y % H;
  int s0 = blockIdx.x * RESID_QUERIES;
  int count = S - s0 < RESID_QUERIES ? S - s0 : RESID_QUERIES;
  i64 queryBH = (b * T * H + h) * D;
  i64 keyBSH = ((b * S + s0) * H + h) * D;
  loadHead(k + keyBSH, count, H, D, keys);
  loadHead(v + keyBSH, count, H, D, values);
  int s = threadIdx.x / RESID_WARP;
  int own = lane();
  float outputsK[RESID_QUERIES];
  float outputsV[RESID_QUERIES];
  for (int i = 0; i < RESID_QUERIES; i++) {
    outputsK[i] = 0;
    outputsV[i] = 0;
  }
  // The first query that sees any of these keys.
  int first = s0 > firstQuery ? s0 - firstQuery : 0;
  for (int t0 = first; t0 < T; t0 += RESID_KEYS) {
    __syncthreads();
    int tile = T - t0 < RESID_KEYS ? T - t0 : RESID_KEYS;
    loadHead(q + queryBH + (i64)t0 * H * D, tile, H, D, queries);
    loadHead(dZ + queryBH + (i64)t0 * H * D, tile, H, D, gradients);
    __syncthreads();
    if (s < count && own < tile && s0 + s <= (i64)firstQuery + t0 + own) {
      i64 row = (b * H + h) * T + t0 + own;
      float x = score(queries + own * stride, keys + s * stride, D, scale);
      float weight = patternWeight(x, largest[row], sums[row]);
      float dWeight = score(gradients + own * stride, values + s * stride, D, 1);
      weights[s * RESID_KEYS + own] = weight;
      dScores[s * RESID_KEYS + own] = scoreGradient(weight, dWeight, dots[row]);
    }
    __syncthreads();
    for (int i = 0; i < RESID_QUERIES; i++) {
      int at = threadIdx.x + 256 * i;
      if (at < count * D) {
        int row = at / D;
        int d = at - row * D;
        i64 unseen = (i64)s0 + row - firstQuery - t0;
        float addingK = outputsK[i];
        float addingV = outputsV[i];
        for (int t = unseen > 0 ? (int)unseen : 0; t < tile; t++) {
          addingK = fmaf(dScores[row * RESID_KEYS + t], queries[t * stride + d], addingK);
          addingV = fmaf(weights[row * RESID_KEYS + t], gradients[t * stride + d], addingV);
        }
        outputsK[i] = addingK;
        outputsV[i] = addingV;
      }
    }
  }
  for (int i = 0; i < RESID_QUERIES; i++) {
    int at = threadIdx.x + 256 * i;
    if (at < count * D) {
      int row = at / D;
      i64 to = keyBSH + (i64)row * H * D + (at - row * D);
      dK[to] = (float)(scale * outputsK[i]);
      dV[to] = outputsV[i];
    }
  }
}
