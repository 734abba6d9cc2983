package dev.resid.backend.vector;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

// The 12-row tile of MicroKernel for rows that come from beyond the second-level cache. While a
// tile is multiplied, it reads one element in every turn of the tile that comes next, so slowly and
// regularly that the processor fetches the lines between ahead of time. Without that, the first
// panel that meets a tile waits for it: 0.04 to 0.06 of the peak with 3,072 terms. (Reading all of
// the next tile's lines, or the first ones of each page, at once between two tiles gains nothing:
// nothing behind a load that misses can retire. Java has no instruction that fetches without
// waiting.)
//
// What is read ahead is added up and returned, lest the compiler leave it out; callers ignore it.
// Where one value more lives through the loop than there are registers, the compiler keeps one in a
// vector register and moves it to and fro in every turn, which costs more than reading ahead gains:
// hence one leading dimension, which is a constant, and one index for both tiles.
final class StreamingTile {
  private static final VectorSpecies<Float> F = Lanes.F;
  private static final int L = Lanes.L;
  private static final int COLUMNS = MicroKernel.COLUMNS;
  private static final int LD = BlockProduct.WIDTH;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  // As in MicroKernel.
  private static final Class<?> KIND = Lanes.KIND;

  /** Whether tiles have the size for it, and panels of a group read no more than a tile ahead. */
  static final boolean FITS = MicroKernel.ROWS == 12 && LD / COLUMNS <= 12;

  private StreamingTile() {}

  /**
   * c[end + r·LD + j] = c[start + r·LD + j] + Σ_k a[k, r]·b[k, j] in ascending k, with LD the width
   * of a group.
   *
   * @param next where in a to read `depth` elements ahead
   * @return the sum of what was read ahead
   */
  static float rows12(
      float[] a,
      int aFrom,
      MemorySegment b,
      long bFrom,
      int depth,
      float[] c,
      int start,
      int end,
      int next) {
    MemorySegment panel = PanelMemory.certain(b);
    FloatVector s0 = FloatVector.fromArray(F, c, start);
    FloatVector t0 = FloatVector.fromArray(F, c, start + L);
    FloatVector s1 = FloatVector.fromArray(F, c, start + LD);
    FloatVector t1 = FloatVector.fromArray(F, c, start + LD + L);
    FloatVector s2 = FloatVector.fromArray(F, c, start + 2 * LD);
    FloatVector t2 = FloatVector.fromArray(F, c, start + 2 * LD + L);
    FloatVector s3 = FloatVector.fromArray(F, c, start + 3 * LD);
    FloatVector t3 = FloatVector.fromArray(F, c, start + 3 * LD + L);
    FloatVector s4 = FloatVector.fromArray(F, c, start + 4 * LD);
    FloatVector t4 = FloatVector.fromArray(F, c, start + 4 * LD + L);
    FloatVector s5 = FloatVector.fromArray(F, c, start + 5 * LD);
    FloatVector t5 = FloatVector.fromArray(F, c, start + 5 * LD + L);
    FloatVector s6 = FloatVector.fromArray(F, c, start + 6 * LD);
    FloatVector t6 = FloatVector.fromArray(F, c, start + 6 * LD + L);
    FloatVector s7 = FloatVector.fromArray(F, c, start + 7 * LD);
    FloatVector t7 = FloatVector.fromArray(F, c, start + 7 * LD + L);
    FloatVector s8 = FloatVector.fromArray(F, c, start + 8 * LD);
    FloatVector t8 = FloatVector.fromArray(F, c, start + 8 * LD + L);
    FloatVector s9 = FloatVector.fromArray(F, c, start + 9 * LD);
    FloatVector t9 = FloatVector.fromArray(F, c, start + 9 * LD + L);
    FloatVector s10 = FloatVector.fromArray(F, c, start + 10 * LD);
    FloatVector t10 = FloatVector.fromArray(F, c, start + 10 * LD + L);
    FloatVector s11 = FloatVector.fromArray(F, c, start + 11 * LD);
    FloatVector t11 = FloatVector.fromArray(F, c, start + 11 * LD + L);
    long bK = bFrom;
    // The index of what is read ahead counts, because the compiler has no register for another.
    float ahead = 0f;
    int fromNext = aFrom - 12 * next;
    int last = next + depth;
    for (int j = next; j < last; j++) {
      ahead += a[j];
      int aK = 12 * j + fromNext;
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
    ((FloatVector) KIND.cast(s1)).intoArray(c, end + LD);
    ((FloatVector) KIND.cast(t1)).intoArray(c, end + LD + L);
    ((FloatVector) KIND.cast(s2)).intoArray(c, end + 2 * LD);
    ((FloatVector) KIND.cast(t2)).intoArray(c, end + 2 * LD + L);
    ((FloatVector) KIND.cast(s3)).intoArray(c, end + 3 * LD);
    ((FloatVector) KIND.cast(t3)).intoArray(c, end + 3 * LD + L);
    ((FloatVector) KIND.cast(s4)).intoArray(c, end + 4 * LD);
    ((FloatVector) KIND.cast(t4)).intoArray(c, end + 4 * LD + L);
    ((FloatVector) KIND.cast(s5)).intoArray(c, end + 5 * LD);
    ((FloatVector) KIND.cast(t5)).intoArray(c, end + 5 * LD + L);
    ((FloatVector) KIND.cast(s6)).intoArray(c, end + 6 * LD);
    ((FloatVector) KIND.cast(t6)).intoArray(c, end + 6 * LD + L);
    ((FloatVector) KIND.cast(s7)).intoArray(c, end + 7 * LD);
    ((FloatVector) KIND.cast(t7)).intoArray(c, end + 7 * LD + L);
    ((FloatVector) KIND.cast(s8)).intoArray(c, end + 8 * LD);
    ((FloatVector) KIND.cast(t8)).intoArray(c, end + 8 * LD + L);
    ((FloatVector) KIND.cast(s9)).intoArray(c, end + 9 * LD);
    ((FloatVector) KIND.cast(t9)).intoArray(c, end + 9 * LD + L);
    ((FloatVector) KIND.cast(s10)).intoArray(c, end + 10 * LD);
    ((FloatVector) KIND.cast(t10)).intoArray(c, end + 10 * LD + L);
    ((FloatVector) KIND.cast(s11)).intoArray(c, end + 11 * LD);
    ((FloatVector) KIND.cast(t11)).intoArray(c, end + 11 * LD + L);
    return ahead;
  }
}
