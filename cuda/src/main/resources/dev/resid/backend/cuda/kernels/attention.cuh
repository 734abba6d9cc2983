// What the kernels of attention share, forward and backward. Queries, keys and values lie as
// [B, position, H, D], patterns as [B, H, T, S]. Query t sees keys 0 to firstQuery + t.
#pragma once
#include "common.cuh"

// A block takes so many positions of one head, one warp each, and goes over the other positions in
// tiles of so many, one a lane. D is at most 256: RESID_QUERIES * D outputs for 256 threads.
#define RESID_QUERIES 8
#define RESID_KEYS 32

// The product of a query and a key: one chain of fused multiply-adds over ascending d.
__device__ inline float score(const float* q, const float* k, int D, double scale) {
  float sum = 0;
  for (int d = 0; d < D; d++) {
    sum = fmaf(q[d], k[d], sum);
  }
  return (float)(scale * sum);
}

// The queries that a block of a grid of (query groups, B * H) takes, and what they see.
struct QueryBlock {
  i64 bh;        // b * H + h, for the pattern and what is kept of its rows
  int t0;        // the first query
  int count;     // how many
  int visible;   // keys that any of them sees
  i64 queryBTH;  // where query t0 of this head lies
  i64 keyBH;     // where key 0 of this head lies
};

__device__ inline QueryBlock queryBlock(int T, int S, int H, int D, int firstQuery) {
  QueryBlock block;
  block.bh = blockIdx.y;
  i64 b = blockIdx.y / H;
  int h = blockIdx.y % H;
  block.t0 = blockIdx.x * RESID_QUERIES;
  block.count = T - block.t0 < RESID_QUERIES ? T - block.t0 : RESID_QUERIES;
  i64 lastVisible = (i64)firstQuery + block.t0 + block.count;
  block.visible = lastVisible < S ? (int)lastVisible : S;
  block.queryBTH = ((b * T + block.t0) * H + h) * D;
  block.keyBH = (b * S * H + h) * D;
  return block;
}

// Rows of [positions, H, D], one head of them, to rows of D + 1 floats in shared memory.
__device__ inline void loadHead(const float* from, int rows, int H, int D, float* to) {
  for (int i = threadIdx.x; i < rows * D; i += blockDim.x) {
    int r = i / D;
    to[r * (D + 1) + (i - r * D)] = from[(i64)r * H * D + (i - r * D)];
  }
}
