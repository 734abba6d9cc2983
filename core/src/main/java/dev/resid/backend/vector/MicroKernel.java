package dev.resid.backend.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

// The innermost loops of every matrix product, unrolled by hand because the compiler keeps vectors
// in registers only if each is a local variable. Layout (L lanes, COLUMNS = 2L):
//
//   a      a tile of rows, packed [depth, rows of the tile]
//   b      a panel of columns, packed [depth, COLUMNS]
//   c      row-major with leading dimension ld; what is there is the start of the sums
//
// Twelve rows by two vectors are 24 accumulators, which with two vectors of b and one broadcast
// fill the 32 registers of AVX-512 and AArch64; six rows fill the 16 of AVX2. Each element of c is
// one chain of fused multiply-adds over ascending k, so tiles of any height give the same bits.
//
// The kernels have as few arguments as they can do with: with three more for another start of the
// sums, the compiler kept the array of b in a vector register and moved it back at every step, on a
// port that multiplies, which cost an eighth of the rate.
final class MicroKernel {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;

  /** Columns of a panel. */
  static final int COLUMNS = 2 * L;

  /** Rows of a tile. */
  static final int ROWS = Lanes.BITS == 512 || isAarch64() ? 12 : 6;

  /** Rows of the smaller tile, for few rows in all. */
  static final int SMALL_ROWS = 4;

  private MicroKernel() {}

  private static boolean isAarch64() {
    return System.getProperty("os.arch").equals("aarch64");
  }

  /** The tile of {@link #ROWS} rows: c[r, :] += Σ_k a[k, r]·b[k, :] in ascending k. */
  static void tile(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    if (ROWS == 12) {
      rows12(a, aFrom, b, bFrom, depth, c, cFrom, ld);
    } else {
      rows6(a, aFrom, b, bFrom, depth, c, cFrom, ld);
    }
  }

  /** As {@link #tile} with c set to zero before. */
  static void tileFromZero(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    FloatVector zero = FloatVector.zero(F);
    for (int r = 0; r < ROWS; r++) {
      zero.intoArray(c, cFrom + r * ld);
      zero.intoArray(c, cFrom + r * ld + L);
    }
    tile(a, aFrom, b, bFrom, depth, c, cFrom, ld);
  }

  /** The 12-row tile: c[r, :] += Σ_k a[k, r]·b[k, :] in ascending k. */
  static void rows12(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    int at0 = cFrom;
    int at1 = cFrom + ld;
    int at2 = cFrom + 2 * ld;
    int at3 = cFrom + 3 * ld;
    int at4 = cFrom + 4 * ld;
    int at5 = cFrom + 5 * ld;
    int at6 = cFrom + 6 * ld;
    int at7 = cFrom + 7 * ld;
    int at8 = cFrom + 8 * ld;
    int at9 = cFrom + 9 * ld;
    int at10 = cFrom + 10 * ld;
    int at11 = cFrom + 11 * ld;
    FloatVector s0 = FloatVector.fromArray(F, c, at0);
    FloatVector t0 = FloatVector.fromArray(F, c, at0 + L);
    FloatVector s1 = FloatVector.fromArray(F, c, at1);
    FloatVector t1 = FloatVector.fromArray(F, c, at1 + L);
    FloatVector s2 = FloatVector.fromArray(F, c, at2);
    FloatVector t2 = FloatVector.fromArray(F, c, at2 + L);
    FloatVector s3 = FloatVector.fromArray(F, c, at3);
    FloatVector t3 = FloatVector.fromArray(F, c, at3 + L);
    FloatVector s4 = FloatVector.fromArray(F, c, at4);
    FloatVector t4 = FloatVector.fromArray(F, c, at4 + L);
    FloatVector s5 = FloatVector.fromArray(F, c, at5);
    FloatVector t5 = FloatVector.fromArray(F, c, at5 + L);
    FloatVector s6 = FloatVector.fromArray(F, c, at6);
    FloatVector t6 = FloatVector.fromArray(F, c, at6 + L);
    FloatVector s7 = FloatVector.fromArray(F, c, at7);
    FloatVector t7 = FloatVector.fromArray(F, c, at7 + L);
    FloatVector s8 = FloatVector.fromArray(F, c, at8);
    FloatVector t8 = FloatVector.fromArray(F, c, at8 + L);
    FloatVector s9 = FloatVector.fromArray(F, c, at9);
    FloatVector t9 = FloatVector.fromArray(F, c, at9 + L);
    FloatVector s10 = FloatVector.fromArray(F, c, at10);
    FloatVector t10 = FloatVector.fromArray(F, c, at10 + L);
    FloatVector s11 = FloatVector.fromArray(F, c, at11);
    FloatVector t11 = FloatVector.fromArray(F, c, at11 + L);
    for (int k = 0; k < depth; k++) {
      int bK = bFrom + k * COLUMNS;
      int aK = aFrom + k * 12;
      FloatVector left = FloatVector.fromArray(F, b, bK);
      FloatVector right = FloatVector.fromArray(F, b, bK + L);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(left, s0);
      t0 = x.fma(right, t0);
      x = FloatVector.broadcast(F, a[aK + 1]);
      s1 = x.fma(left, s1);
      t1 = x.fma(right, t1);
      x = FloatVector.broadcast(F, a[aK + 2]);
      s2 = x.fma(left, s2);
      t2 = x.fma(right, t2);
      x = FloatVector.broadcast(F, a[aK + 3]);
      s3 = x.fma(left, s3);
      t3 = x.fma(right, t3);
      x = FloatVector.broadcast(F, a[aK + 4]);
      s4 = x.fma(left, s4);
      t4 = x.fma(right, t4);
      x = FloatVector.broadcast(F, a[aK + 5]);
      s5 = x.fma(left, s5);
      t5 = x.fma(right, t5);
      x = FloatVector.broadcast(F, a[aK + 6]);
      s6 = x.fma(left, s6);
      t6 = x.fma(right, t6);
      x = FloatVector.broadcast(F, a[aK + 7]);
      s7 = x.fma(left, s7);
      t7 = x.fma(right, t7);
      x = FloatVector.broadcast(F, a[aK + 8]);
      s8 = x.fma(left, s8);
      t8 = x.fma(right, t8);
      x = FloatVector.broadcast(F, a[aK + 9]);
      s9 = x.fma(left, s9);
      t9 = x.fma(right, t9);
      x = FloatVector.broadcast(F, a[aK + 10]);
      s10 = x.fma(left, s10);
      t10 = x.fma(right, t10);
      x = FloatVector.broadcast(F, a[aK + 11]);
      s11 = x.fma(left, s11);
      t11 = x.fma(right, t11);
    }
    s0.intoArray(c, at0);
    t0.intoArray(c, at0 + L);
    s1.intoArray(c, at1);
    t1.intoArray(c, at1 + L);
    s2.intoArray(c, at2);
    t2.intoArray(c, at2 + L);
    s3.intoArray(c, at3);
    t3.intoArray(c, at3 + L);
    s4.intoArray(c, at4);
    t4.intoArray(c, at4 + L);
    s5.intoArray(c, at5);
    t5.intoArray(c, at5 + L);
    s6.intoArray(c, at6);
    t6.intoArray(c, at6 + L);
    s7.intoArray(c, at7);
    t7.intoArray(c, at7 + L);
    s8.intoArray(c, at8);
    t8.intoArray(c, at8 + L);
    s9.intoArray(c, at9);
    t9.intoArray(c, at9 + L);
    s10.intoArray(c, at10);
    t10.intoArray(c, at10 + L);
    s11.intoArray(c, at11);
    t11.intoArray(c, at11 + L);
  }

  /** The 6-row tile: c[r, :] += Σ_k a[k, r]·b[k, :] in ascending k. */
  static void rows6(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    int at0 = cFrom;
    int at1 = cFrom + ld;
    int at2 = cFrom + 2 * ld;
    int at3 = cFrom + 3 * ld;
    int at4 = cFrom + 4 * ld;
    int at5 = cFrom + 5 * ld;
    FloatVector s0 = FloatVector.fromArray(F, c, at0);
    FloatVector t0 = FloatVector.fromArray(F, c, at0 + L);
    FloatVector s1 = FloatVector.fromArray(F, c, at1);
    FloatVector t1 = FloatVector.fromArray(F, c, at1 + L);
    FloatVector s2 = FloatVector.fromArray(F, c, at2);
    FloatVector t2 = FloatVector.fromArray(F, c, at2 + L);
    FloatVector s3 = FloatVector.fromArray(F, c, at3);
    FloatVector t3 = FloatVector.fromArray(F, c, at3 + L);
    FloatVector s4 = FloatVector.fromArray(F, c, at4);
    FloatVector t4 = FloatVector.fromArray(F, c, at4 + L);
    FloatVector s5 = FloatVector.fromArray(F, c, at5);
    FloatVector t5 = FloatVector.fromArray(F, c, at5 + L);
    for (int k = 0; k < depth; k++) {
      int bK = bFrom + k * COLUMNS;
      int aK = aFrom + k * 6;
      FloatVector left = FloatVector.fromArray(F, b, bK);
      FloatVector right = FloatVector.fromArray(F, b, bK + L);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(left, s0);
      t0 = x.fma(right, t0);
      x = FloatVector.broadcast(F, a[aK + 1]);
      s1 = x.fma(left, s1);
      t1 = x.fma(right, t1);
      x = FloatVector.broadcast(F, a[aK + 2]);
      s2 = x.fma(left, s2);
      t2 = x.fma(right, t2);
      x = FloatVector.broadcast(F, a[aK + 3]);
      s3 = x.fma(left, s3);
      t3 = x.fma(right, t3);
      x = FloatVector.broadcast(F, a[aK + 4]);
      s4 = x.fma(left, s4);
      t4 = x.fma(right, t4);
      x = FloatVector.broadcast(F, a[aK + 5]);
      s5 = x.fma(left, s5);
      t5 = x.fma(right, t5);
    }
    s0.intoArray(c, at0);
    t0.intoArray(c, at0 + L);
    s1.intoArray(c, at1);
    t1.intoArray(c, at1 + L);
    s2.intoArray(c, at2);
    t2.intoArray(c, at2 + L);
    s3.intoArray(c, at3);
    t3.intoArray(c, at3 + L);
    s4.intoArray(c, at4);
    t4.intoArray(c, at4 + L);
    s5.intoArray(c, at5);
    t5.intoArray(c, at5 + L);
  }

  /** The 4-row tile: c[r, :] += Σ_k a[k, r]·b[k, :] in ascending k. */
  static void rows4(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    int at0 = cFrom;
    int at1 = cFrom + ld;
    int at2 = cFrom + 2 * ld;
    int at3 = cFrom + 3 * ld;
    FloatVector s0 = FloatVector.fromArray(F, c, at0);
    FloatVector t0 = FloatVector.fromArray(F, c, at0 + L);
    FloatVector s1 = FloatVector.fromArray(F, c, at1);
    FloatVector t1 = FloatVector.fromArray(F, c, at1 + L);
    FloatVector s2 = FloatVector.fromArray(F, c, at2);
    FloatVector t2 = FloatVector.fromArray(F, c, at2 + L);
    FloatVector s3 = FloatVector.fromArray(F, c, at3);
    FloatVector t3 = FloatVector.fromArray(F, c, at3 + L);
    for (int k = 0; k < depth; k++) {
      int bK = bFrom + k * COLUMNS;
      int aK = aFrom + k * 4;
      FloatVector left = FloatVector.fromArray(F, b, bK);
      FloatVector right = FloatVector.fromArray(F, b, bK + L);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(left, s0);
      t0 = x.fma(right, t0);
      x = FloatVector.broadcast(F, a[aK + 1]);
      s1 = x.fma(left, s1);
      t1 = x.fma(right, t1);
      x = FloatVector.broadcast(F, a[aK + 2]);
      s2 = x.fma(left, s2);
      t2 = x.fma(right, t2);
      x = FloatVector.broadcast(F, a[aK + 3]);
      s3 = x.fma(left, s3);
      t3 = x.fma(right, t3);
    }
    s0.intoArray(c, at0);
    t0.intoArray(c, at0 + L);
    s1.intoArray(c, at1);
    t1.intoArray(c, at1 + L);
    s2.intoArray(c, at2);
    t2.intoArray(c, at2 + L);
    s3.intoArray(c, at3);
    t3.intoArray(c, at3 + L);
  }

  /** The 1-row tile: c[r, :] += Σ_k a[k, r]·b[k, :] in ascending k. */
  static void rows1(
      float[] a, int aFrom, float[] b, int bFrom, int depth, float[] c, int cFrom, int ld) {
    int at0 = cFrom;
    FloatVector s0 = FloatVector.fromArray(F, c, at0);
    FloatVector t0 = FloatVector.fromArray(F, c, at0 + L);
    for (int k = 0; k < depth; k++) {
      int bK = bFrom + k * COLUMNS;
      int aK = aFrom + k;
      FloatVector left = FloatVector.fromArray(F, b, bK);
      FloatVector right = FloatVector.fromArray(F, b, bK + L);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(left, s0);
      t0 = x.fma(right, t0);
    }
    s0.intoArray(c, at0);
    t0.intoArray(c, at0 + L);
  }
}
