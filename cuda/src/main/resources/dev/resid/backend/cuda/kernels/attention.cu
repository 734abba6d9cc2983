// Causal attention and its parts. A mix is one chain of fused multiply-adds over ascending keys that
// leaves out weights of 0.
#include "attention.cuh"

RESID_KERNEL resid_attention_scores(
    const float* q, const float* k, float* scores, i64 n, int T, int S, int H, int D, int firstQuery,
    double scale) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int s = (int)(i % S);
    i64 rest = i / S;
    int t = (int)(rest % T);
    rest /= T;
    int h = (int)(rest % H);
    i64 b = rest / H;
    scores[i] = s <= (i64)firstQuery + t
        ? score(q + ((b * T + t) * H + h) * D, k + ((b * S + s) * H + h) * D, D, scale)
        : -RESID_INFINITY;
  }
}

RESID_KERNEL resid_attention_mix(
    const float* pattern, const float* v, float* z, i64 n, int T, int S, int H, int D) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int d = (int)(i % D);
    i64 rest = i / D;
    int h = (int)(rest % H);
    rest /= H;
    int t = (int)(rest % T);
    i64 b = rest / T;
    const float* p = pattern + ((b * H + h) * T + t) * S;
    const float* value = v + (b * S * H + h) * D + d;
    float sum = 0;
    for (int s = 0; s < S; s++) {
      float weight = p[s];
      if (weight != 0) {
        sum = fmaf(weight, value[(i64)s * H * D], sum);
      }
    }
    z[i] = sum;
  }
}

// All three in one pass: a block keeps the scores of its queries for all visible keys in shared
// memory (as many floats as queries times S), and goes over keys and then values in tiles. The bits
// are those of the three kernels one after the other.
RESID_KERNEL resid_attention(
    const float* q, const float* k, const float* v, float* z, int T, int S, int H, int D,
    int firstQuery, double scale) {
  RESID_DYNAMIC_SHARED(float, shared);
  int stride = D + 1;
  float* queries = shared;
  float* tile = queries + RESID_QUERIES * stride;
  float* rows = tile + RESID_KEYS * stride;
  QueryBlock own = queryBlock(T, S, H, D, firstQuery);
  loadHead(q + own.queryBTH, own.count, H, D, queries);
  int t = threadIdx.x / RESID_WARP;
  for (int s0 = 0; s0 < own.visible; s0 += RESID_KEYS) {
    __syncthreads();
    int keys = own.visible - s0 < RESID_KEYS ? own.visible - s0 : RESID_KEYS;
    loadHead(k + own.keyBH + (i64)s0 * H * D, keys, H, D, tile);
    __syncthreads();
    int s = lane();
    if (t < own.count && s < keys) {
      rows[t * S + s0 + s] = s0 + s <= (i64)firstQuery + own.t0 + t
          ? score(queries + t * stride, tile + s * stride, D, scale)
          : -RESID_INFINITY;
    }
  }
  __syncthreads();
  if (t < own.count) {
    warpSoftmax(rows + t * S, rows + t * S, own.visible);
  }
  float sums[RESID_QUERIES];
  for (int i = 0; i < RESID_QUERIES; i++) {
    sums[i] = 0;
  }
  for (int s0 = 0; s0 < own.visible; s0 += RESID_KEYS) {
    __syncthreads();
    int keys = own.visible - s0 < RESID_KEYS ? own.visible - s0 : RESID_KEYS;
    loadHead(v + own.keyBH + (i64)s0 * H * D, keys, H, D, tile);
    __syncthreads();
    // Output i of this thread is element threadIdx.x + 256 i of [count, D].
    for (int i = 0; i < RESID_QUERIES; i++) {
      int at = threadIdx.x + 256 * i;
      if (at < own.count * D) {
        int row = at / D;
        int d = at - row * D;
        const float* weights = rows + row * S + s0;
        float sum = sums[i];
        for (int s = 0; s < keys; s++) {
          float weight = weights[s];
          if (weight != 0) {
            sum = fmaf(weight, tile[s * stride + d], sum);
          }
        }
        sums[i] = sum;
      }
    }
  }
  for (int i = 0; i < RESID_QUERIES; i++) {
    int at = threadIdx.x + 256 * i;
    if (at < own.count * D) {
      int row = at / D;
      z[own.queryBTH + (i64)row * H * D + (at - row * D)] = sums[i];
    }
  }
}

RESID_KERNEL resid_attention_mix_backward_pattern(
    const float* dZ, const float* v, float* dPattern, i64 n, int T, int S, int H, int D) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int s = (int)(i % S);
    i64 rest = i / S;
    int t = (int)(rest % T);
    rest /= T;
    int h = (int)(rest % H);
    i64 b = rest / H;
    dPattern[i] = score(dZ + ((b * T + t) * H + h) * D, v + ((b * S + s) * H + h) * D, D, 1);
  }
}

// dV[b, s, h, d] = sum over t of pattern[b, h, t, s] * dZ[b, t, h, d].
RESID_KERNEL resid_attention_mix_backward_values(
    const float* dZ, const float* pattern, float* dV, i64 n, int T, int S, int H, int D) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int d = (int)(i % D);
    i64 rest = i / D;
    int h = (int)(rest % H);
    rest /= H;
    int s = (int)(rest % S);
    i64 b = rest / S;
    float sum = 0;
    for (int t = 0; t < T; t++) {
      sum = fmaf(
          pattern[((b * H + h) * T + t) * S + s], dZ[((b * T + t) * H + h) * D + d], sum);
    }
    dV[i] = sum;
  }
}

RESID_KERNEL resid_attention_scores_backward_queries(
    const float* dScores, const float* k, float* dQ, i64 n, int T, int S, int H, int D,
    int firstQuery, double scale) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int d = (int)(i % D);
    i64 rest = i / D;
    int h = (int)(rest % H);
    rest /= H;
    int t = (int)(rest % T);
    i64 b = rest / T;
    float sum = 0;
    for (int s = 0; s < S && s <= (i64)firstQuery + t; s++) {
      sum = fmaf(
          dScores[((b * H + h) * T + t) * S + s], k[((b * S + s) * H + h) * D + d], sum);
    }
    dQ[i] = (float)(scale * sum);
  }
}

RESID_KERNEL resid_attention_scores_backward_keys(
    const float* dScores, const float* q, float* dK, i64 n, int T, int S, int H, int D,
    int firstQuery, double scale) {
  for (i64 i = firstElement(); i < n; i += elementStride()) {
    int d = (int)(i % D);
    i64 rest = i / D;
    int h = (int)(rest % H);
    rest /= H;
    int s = (int)(rest % S);
    i64 b = rest / S;
    float sum = 0;
    for (int t = s > firstQuery ? s - firstQuery : 0; t < T; t++) {
      sum = fmaf(
          dScores[((b * H + h) * T + t) * S + s], q[((b * T + t) * H + h) * D + d], sum);
    }
    dK[i] = (float)(scale * sum);
  }
}
