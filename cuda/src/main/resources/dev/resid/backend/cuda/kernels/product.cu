// The matrix product without cuBLAS: c[i, j] = (add: c[i, j] +) sum over ascending k of
// a[i * aRow + k * aStep] * b[k * bStep + j * bColumn], one chain of fused multiply-adds an output,
// so that a row's bits depend on nothing but the row. Blocks of 64 x 64 outputs, 4 x 4 a thread.
#include "common.cuh"

#define RESID_TILE 64
#define RESID_DEPTH 16

RESID_KERNEL resid_product(
    const float* a, i64 aRow, i64 aStep, const float* b, i64 bStep, i64 bColumn, float* c, i64 cRow,
    int m, int n, int k, int add) {
  __shared__ float as[RESID_DEPTH][RESID_TILE + 1];
  __shared__ float bs[RESID_DEPTH][RESID_TILE + 1];
  i64 i0 = (i64)blockIdx.y * RESID_TILE;
  i64 j0 = (i64)blockIdx.x * RESID_TILE;
  int ti = threadIdx.x / 16;
  int tj = threadIdx.x % 16;
  float sums[4][4];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      sums[i][j] = 0;
    }
  }
  for (int k0 = 0; k0 < k; k0 += RESID_DEPTH) {
    int depth = k - k0 < RESID_DEPTH ? k - k0 : RESID_DEPTH;
    for (int at = threadIdx.x; at < RESID_TILE * RESID_DEPTH; at += 256) {
      // Neighbouring threads read neighbouring numbers, whichever way the operand lies.
      int ka = aStep == 1 ? at % RESID_DEPTH : at / RESID_TILE;
      int ia = aStep == 1 ? at / RESID_DEPTH : at % RESID_TILE;
      as[ka][ia] = i0 + ia < m && ka < depth ? a[(i0 + ia) * aRow + (k0 + ka) * aStep] : 0;
      int kb = bStep == 1 ? at % RESID_DEPTH : at / RESID_TILE;
      int jb = bStep == 1 ? at / RESID_DEPTH : at % RESID_TILE;
      bs[kb][jb] = j0 + jb < n && kb < depth ? b[(k0 + kb) * bStep + (j0 + jb) * bColumn] : 0;
    }
    __syncthreads();
    for (int kk = 0; kk < depth; kk++) {
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          sums[i][j] = fmaf(as[kk][ti + 16 * i], bs[kk][tj + 16 * j], sums[i][j]);
        }
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      i64 row = i0 + ti + 16 * i;
      i64 column = j0 + tj + 16 * j;
      if (row < m && column < n) {
        float* to = c + row * cRow + column;
        *to = add != 0 ? *to + sums[i][j] : sums[i][j];
      }
    }
  }
}
