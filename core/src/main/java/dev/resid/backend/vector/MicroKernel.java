package dev.resid.backend.vector;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

// The innermost loops of every matrix product, unrolled by hand because the compiler keeps vectors
// in registers only if each is a local variable. Layout (L lanes, COLUMNS = 2L):
//
//   a      a tile of rows, packed [depth, rows of the tile]
//   b      a panel of columns, packed [depth, COLUMNS]
//   c      where the sums start, row-major with leading dimension startLd, and where they end, with
//          ld; 0 for startLd: all rows start with the same
//
// Twelve rows by two vectors are 24 accumulators, which with two vectors of b and one broadcast
// fill the 32 registers of AVX-512 and AArch64; six rows fill the 16 of AVX2. Each element of c is
// one chain of fused multiply-adds over ascending k, so tiles of any height give the same bits.
//
// What each of these was worth, as parts of the peak:
//
//   0.10  (2,048 rows, one group of panels) Sums are stored after Class.cast, not Lanes.certain;
//         KIND says why.
//   0.05  (one tile, one panel) The index of the larger tiles counts in a, and that of b is
//         carried along. Counting in k, the compiler splits the loop in two for the sake of b's
//         long indices, and computes an index of a from both, in seven instructions of which some
//         take the place of an FMA. Two leading dimensions belong to this: with one, the compiler
//         keeps its multiples for the stores, has no registers left for indices, and moves them
//         to vector registers and back, on the ports that multiply. So would more arguments.
//
// Two terms a turn were worth 0.01 to 0.02 of the peak. But the first compiler inlines all of the
// Vector API too, and where it runs out of virtual registers ("COMPILE SKIPPED: out of virtual
// registers in linear scan") a method is never compiled by the second one, and every vector stays
// an object: with two terms in one program of twelve, which then took a hundred times as long.
final class MicroKernel {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  // What Lanes.certain checks. A call of that method is not inlined where 24 of them stand in one
  // kernel (NodeCountInliningCutoff), and then every sum is made an object to be its argument;
  // Class.cast is an intrinsic, which needs no inlining.
  private static final Class<?> KIND = Lanes.KIND;

  /** Columns of a panel. */
  static final int COLUMNS = 2 * L;

  /** Rows of a tile. */
  static final int ROWS = Lanes.BITS == 512 || isAarch64() ? 12 : 6;

  /** Rows of the smaller tile, for few rows in all. */
  static final int SMALL_ROWS = 4;

  /** Whether there are registers for {@link #rows4TwoPanels}. */
  static final boolean TWO_PANELS = ROWS == 12;

  private MicroKernel() {}

  private static boolean isAarch64() {
    return System.getProperty("os.arch").equals("aarch64");
  }

  /**
   * The tile of {@link #ROWS} rows: c[end + r·ld + j] = c[start + r·startLd + j] + Σ_k a[k, r]·b[k,
   * j] in ascending k.
   */
  static void tile(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int startLd,
      int end,
      int ld) {
    if (ROWS == 12) {
      rows12(a, aFrom, b, bFrom, depth, c, start, startLd, end, ld);
    } else {
      rows6(a, aFrom, b, bFrom, depth, c, start, startLd, end, ld);
    }
  }

  /** As {@link #tile} with c set to zero before. */
  static void tileFromZero(
      float[] a, int aFrom, MemorySegment b, long bFrom, int depth, float[] c, int cFrom, int ld) {
    FloatVector zero = FloatVector.zero(F);
    for (int r = 0; r < ROWS; r++) {
      zero.intoArray(c, cFrom + r * ld);
      zero.intoArray(c, cFrom + r * ld + L);
    }
    tile(a, aFrom, b, bFrom, depth, c, cFrom, ld, cFrom, ld);
  }

  /** The 12-row tile, as {@link #tile}. */
  static void rows12(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int startLd,
      int end,
      int ld) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.fromArray(F, c, start);
    FloatVector t0 = FloatVector.fromArray(F, c, start + L);
    FloatVector s1 = FloatVector.fromArray(F, c, start + startLd);
    FloatVector t1 = FloatVector.fromArray(F, c, start + startLd + L);
    FloatVector s2 = FloatVector.fromArray(F, c, start + 2 * startLd);
    FloatVector t2 = FloatVector.fromArray(F, c, start + 2 * startLd + L);
    FloatVector s3 = FloatVector.fromArray(F, c, start + 3 * startLd);
    FloatVector t3 = FloatVector.fromArray(F, c, start + 3 * startLd + L);
    FloatVector s4 = FloatVector.fromArray(F, c, start + 4 * startLd);
    FloatVector t4 = FloatVector.fromArray(F, c, start + 4 * startLd + L);
    FloatVector s5 = FloatVector.fromArray(F, c, start + 5 * startLd);
    FloatVector t5 = FloatVector.fromArray(F, c, start + 5 * startLd + L);
    FloatVector s6 = FloatVector.fromArray(F, c, start + 6 * startLd);
    FloatVector t6 = FloatVector.fromArray(F, c, start + 6 * startLd + L);
    FloatVector s7 = FloatVector.fromArray(F, c, start + 7 * startLd);
    FloatVector t7 = FloatVector.fromArray(F, c, start + 7 * startLd + L);
    FloatVector s8 = FloatVector.fromArray(F, c, start + 8 * startLd);
    FloatVector t8 = FloatVector.fromArray(F, c, start + 8 * startLd + L);
    FloatVector s9 = FloatVector.fromArray(F, c, start + 9 * startLd);
    FloatVector t9 = FloatVector.fromArray(F, c, start + 9 * startLd + L);
    FloatVector s10 = FloatVector.fromArray(F, c, start + 10 * startLd);
    FloatVector t10 = FloatVector.fromArray(F, c, start + 10 * startLd + L);
    FloatVector s11 = FloatVector.fromArray(F, c, start + 11 * startLd);
    FloatVector t11 = FloatVector.fromArray(F, c, start + 11 * startLd + L);
    long bK = bFrom;
    int aEnd = aFrom + depth * 12;
    for (int aK = aFrom; aK < aEnd; aK += 12) {
      FloatVector left = FloatVector.fromMemorySegment(F, panel, bK, ORDER);
      FloatVector right = FloatVector.fromMemorySegment(F, panel, bK + L * 4L, ORDER);
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
      bK += COLUMNS * 4L;
    }
    ((FloatVector) KIND.cast(s0)).intoArray(c, end);
    ((FloatVector) KIND.cast(t0)).intoArray(c, end + L);
    ((FloatVector) KIND.cast(s1)).intoArray(c, end + ld);
    ((FloatVector) KIND.cast(t1)).intoArray(c, end + ld + L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, end + 2 * ld);
    ((FloatVector) KIND.cast(t2)).intoArray(c, end + 2 * ld + L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, end + 3 * ld);
    ((FloatVector) KIND.cast(t3)).intoArray(c, end + 3 * ld + L);
    ((FloatVector) KIND.cast(s4)).intoArray(c, end + 4 * ld);
    ((FloatVector) KIND.cast(t4)).intoArray(c, end + 4 * ld + L);
    ((FloatVector) KIND.cast(s5)).intoArray(c, end + 5 * ld);
    ((FloatVector) KIND.cast(t5)).intoArray(c, end + 5 * ld + L);
    ((FloatVector) KIND.cast(s6)).intoArray(c, end + 6 * ld);
    ((FloatVector) KIND.cast(t6)).intoArray(c, end + 6 * ld + L);
    ((FloatVector) KIND.cast(s7)).intoArray(c, end + 7 * ld);
    ((FloatVector) KIND.cast(t7)).intoArray(c, end + 7 * ld + L);
    ((FloatVector) KIND.cast(s8)).intoArray(c, end + 8 * ld);
    ((FloatVector) KIND.cast(t8)).intoArray(c, end + 8 * ld + L);
    ((FloatVector) KIND.cast(s9)).intoArray(c, end + 9 * ld);
    ((FloatVector) KIND.cast(t9)).intoArray(c, end + 9 * ld + L);
    ((FloatVector) KIND.cast(s10)).intoArray(c, end + 10 * ld);
    ((FloatVector) KIND.cast(t10)).intoArray(c, end + 10 * ld + L);
    ((FloatVector) KIND.cast(s11)).intoArray(c, end + 11 * ld);
    ((FloatVector) KIND.cast(t11)).intoArray(c, end + 11 * ld + L);
  }

  /** The 6-row tile, as {@link #tile}. */
  static void rows6(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int startLd,
      int end,
      int ld) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.fromArray(F, c, start);
    FloatVector t0 = FloatVector.fromArray(F, c, start + L);
    FloatVector s1 = FloatVector.fromArray(F, c, start + startLd);
    FloatVector t1 = FloatVector.fromArray(F, c, start + startLd + L);
    FloatVector s2 = FloatVector.fromArray(F, c, start + 2 * startLd);
    FloatVector t2 = FloatVector.fromArray(F, c, start + 2 * startLd + L);
    FloatVector s3 = FloatVector.fromArray(F, c, start + 3 * startLd);
    FloatVector t3 = FloatVector.fromArray(F, c, start + 3 * startLd + L);
    FloatVector s4 = FloatVector.fromArray(F, c, start + 4 * startLd);
    FloatVector t4 = FloatVector.fromArray(F, c, start + 4 * startLd + L);
    FloatVector s5 = FloatVector.fromArray(F, c, start + 5 * startLd);
    FloatVector t5 = FloatVector.fromArray(F, c, start + 5 * startLd + L);
    long bK = bFrom;
    int aEnd = aFrom + depth * 6;
    for (int aK = aFrom; aK < aEnd; aK += 6) {
      FloatVector left = FloatVector.fromMemorySegment(F, panel, bK, ORDER);
      FloatVector right = FloatVector.fromMemorySegment(F, panel, bK + L * 4L, ORDER);
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
      bK += COLUMNS * 4L;
    }
    ((FloatVector) KIND.cast(s0)).intoArray(c, end);
    ((FloatVector) KIND.cast(t0)).intoArray(c, end + L);
    ((FloatVector) KIND.cast(s1)).intoArray(c, end + ld);
    ((FloatVector) KIND.cast(t1)).intoArray(c, end + ld + L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, end + 2 * ld);
    ((FloatVector) KIND.cast(t2)).intoArray(c, end + 2 * ld + L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, end + 3 * ld);
    ((FloatVector) KIND.cast(t3)).intoArray(c, end + 3 * ld + L);
    ((FloatVector) KIND.cast(s4)).intoArray(c, end + 4 * ld);
    ((FloatVector) KIND.cast(t4)).intoArray(c, end + 4 * ld + L);
    ((FloatVector) KIND.cast(s5)).intoArray(c, end + 5 * ld);
    ((FloatVector) KIND.cast(t5)).intoArray(c, end + 5 * ld + L);
  }

  /** The 4-row tile, as {@link #tile}. */
  static void rows4(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int startLd,
      int end,
      int ld) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.fromArray(F, c, start);
    FloatVector t0 = FloatVector.fromArray(F, c, start + L);
    FloatVector s1 = FloatVector.fromArray(F, c, start + startLd);
    FloatVector t1 = FloatVector.fromArray(F, c, start + startLd + L);
    FloatVector s2 = FloatVector.fromArray(F, c, start + 2 * startLd);
    FloatVector t2 = FloatVector.fromArray(F, c, start + 2 * startLd + L);
    FloatVector s3 = FloatVector.fromArray(F, c, start + 3 * startLd);
    FloatVector t3 = FloatVector.fromArray(F, c, start + 3 * startLd + L);
    for (int k = 0; k < depth; k++) {
      long bK = bFrom + k * (COLUMNS * 4L);
      int aK = aFrom + k * 4;
      FloatVector left = FloatVector.fromMemorySegment(F, panel, bK, ORDER);
      FloatVector right = FloatVector.fromMemorySegment(F, panel, bK + L * 4L, ORDER);
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
    ((FloatVector) KIND.cast(s0)).intoArray(c, end);
    ((FloatVector) KIND.cast(t0)).intoArray(c, end + L);
    ((FloatVector) KIND.cast(s1)).intoArray(c, end + ld);
    ((FloatVector) KIND.cast(t1)).intoArray(c, end + ld + L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, end + 2 * ld);
    ((FloatVector) KIND.cast(t2)).intoArray(c, end + 2 * ld + L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, end + 3 * ld);
    ((FloatVector) KIND.cast(t3)).intoArray(c, end + 3 * ld + L);
  }

  /**
   * Four rows with two panels at once: c[r·2·COLUMNS + j] = Σ_k a[k, r]·b[k, j] in ascending k, j
   * over both. The processor fetches two streams ahead instead of one, and has fewer instructions
   * for each line. For 32 registers.
   */
  static void rows4TwoPanels(
      float[] a, int aFrom, MemorySegment b, long bFrom, long stride, int depth, float[] c) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.zero(F);
    FloatVector t0 = FloatVector.zero(F);
    FloatVector u0 = FloatVector.zero(F);
    FloatVector v0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    FloatVector t1 = FloatVector.zero(F);
    FloatVector u1 = FloatVector.zero(F);
    FloatVector v1 = FloatVector.zero(F);
    FloatVector s2 = FloatVector.zero(F);
    FloatVector t2 = FloatVector.zero(F);
    FloatVector u2 = FloatVector.zero(F);
    FloatVector v2 = FloatVector.zero(F);
    FloatVector s3 = FloatVector.zero(F);
    FloatVector t3 = FloatVector.zero(F);
    FloatVector u3 = FloatVector.zero(F);
    FloatVector v3 = FloatVector.zero(F);
    for (int k = 0; k < depth; k++) {
      long bK = bFrom + k * (COLUMNS * 4L);
      long bL = bK + stride;
      int aK = aFrom + k * 4;
      FloatVector b0 = FloatVector.fromMemorySegment(F, panel, bK, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F, panel, bK + L * 4L, ORDER);
      FloatVector b2 = FloatVector.fromMemorySegment(F, panel, bL, ORDER);
      FloatVector b3 = FloatVector.fromMemorySegment(F, panel, bL + L * 4L, ORDER);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(b0, s0);
      t0 = x.fma(b1, t0);
      u0 = x.fma(b2, u0);
      v0 = x.fma(b3, v0);
      x = FloatVector.broadcast(F, a[aK + 1]);
      s1 = x.fma(b0, s1);
      t1 = x.fma(b1, t1);
      u1 = x.fma(b2, u1);
      v1 = x.fma(b3, v1);
      x = FloatVector.broadcast(F, a[aK + 2]);
      s2 = x.fma(b0, s2);
      t2 = x.fma(b1, t2);
      u2 = x.fma(b2, u2);
      v2 = x.fma(b3, v2);
      x = FloatVector.broadcast(F, a[aK + 3]);
      s3 = x.fma(b0, s3);
      t3 = x.fma(b1, t3);
      u3 = x.fma(b2, u3);
      v3 = x.fma(b3, v3);
    }
    ((FloatVector) KIND.cast(s0)).intoArray(c, 0);
    ((FloatVector) KIND.cast(t0)).intoArray(c, L);
    ((FloatVector) KIND.cast(u0)).intoArray(c, 2 * L);
    ((FloatVector) KIND.cast(v0)).intoArray(c, 3 * L);
    ((FloatVector) KIND.cast(s1)).intoArray(c, 2 * COLUMNS);
    ((FloatVector) KIND.cast(t1)).intoArray(c, 2 * COLUMNS + L);
    ((FloatVector) KIND.cast(u1)).intoArray(c, 2 * COLUMNS + 2 * L);
    ((FloatVector) KIND.cast(v1)).intoArray(c, 2 * COLUMNS + 3 * L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, 4 * COLUMNS);
    ((FloatVector) KIND.cast(t2)).intoArray(c, 4 * COLUMNS + L);
    ((FloatVector) KIND.cast(u2)).intoArray(c, 4 * COLUMNS + 2 * L);
    ((FloatVector) KIND.cast(v2)).intoArray(c, 4 * COLUMNS + 3 * L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, 6 * COLUMNS);
    ((FloatVector) KIND.cast(t3)).intoArray(c, 6 * COLUMNS + L);
    ((FloatVector) KIND.cast(u3)).intoArray(c, 6 * COLUMNS + 2 * L);
    ((FloatVector) KIND.cast(v3)).intoArray(c, 6 * COLUMNS + 3 * L);
  }

  /**
   * One row with four panels at once: c[j] = Σ_k a[k]·b[k, j] in ascending k, j over all four,
   * which begin `stride` bytes apart. Four streams are fetched further ahead than one.
   */
  static void rows1FourPanels(
      float[] a, MemorySegment b, long bFrom, long stride, int depth, float[] c) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.zero(F);
    FloatVector t0 = FloatVector.zero(F);
    FloatVector s1 = FloatVector.zero(F);
    FloatVector t1 = FloatVector.zero(F);
    FloatVector s2 = FloatVector.zero(F);
    FloatVector t2 = FloatVector.zero(F);
    FloatVector s3 = FloatVector.zero(F);
    FloatVector t3 = FloatVector.zero(F);
    for (int k = 0; k < depth; k++) {
      long b0 = bFrom + k * (COLUMNS * 4L);
      long b1 = b0 + stride;
      long b2 = b1 + stride;
      long b3 = b2 + stride;
      FloatVector x = FloatVector.broadcast(F, a[k]);
      s0 = x.fma(FloatVector.fromMemorySegment(F, panel, b0, ORDER), s0);
      t0 = x.fma(FloatVector.fromMemorySegment(F, panel, b0 + L * 4L, ORDER), t0);
      s1 = x.fma(FloatVector.fromMemorySegment(F, panel, b1, ORDER), s1);
      t1 = x.fma(FloatVector.fromMemorySegment(F, panel, b1 + L * 4L, ORDER), t1);
      s2 = x.fma(FloatVector.fromMemorySegment(F, panel, b2, ORDER), s2);
      t2 = x.fma(FloatVector.fromMemorySegment(F, panel, b2 + L * 4L, ORDER), t2);
      s3 = x.fma(FloatVector.fromMemorySegment(F, panel, b3, ORDER), s3);
      t3 = x.fma(FloatVector.fromMemorySegment(F, panel, b3 + L * 4L, ORDER), t3);
    }
    ((FloatVector) KIND.cast(s0)).intoArray(c, 0);
    ((FloatVector) KIND.cast(t0)).intoArray(c, L);
    ((FloatVector) KIND.cast(s1)).intoArray(c, 2 * L);
    ((FloatVector) KIND.cast(t1)).intoArray(c, 3 * L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, 4 * L);
    ((FloatVector) KIND.cast(t2)).intoArray(c, 5 * L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, 6 * L);
    ((FloatVector) KIND.cast(t3)).intoArray(c, 7 * L);
  }

  /** The 1-row tile, as {@link #tile}. */
  static void rows1(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int startLd,
      int end,
      int ld) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.fromArray(F, c, start);
    FloatVector t0 = FloatVector.fromArray(F, c, start + L);
    for (int k = 0; k < depth; k++) {
      long bK = bFrom + k * (COLUMNS * 4L);
      int aK = aFrom + k;
      FloatVector left = FloatVector.fromMemorySegment(F, panel, bK, ORDER);
      FloatVector right = FloatVector.fromMemorySegment(F, panel, bK + L * 4L, ORDER);
      FloatVector x = FloatVector.broadcast(F, a[aK]);
      s0 = x.fma(left, s0);
      t0 = x.fma(right, t0);
    }
    ((FloatVector) KIND.cast(s0)).intoArray(c, end);
    ((FloatVector) KIND.cast(t0)).intoArray(c, end + L);
  }
}
