package dev.resid.benchmarks.work;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * How many floating-point operations a second the processor does at best: fused multiply-adds on
 * registers alone, in sixteen independent chains, enough to hide their latency. Imports the Vector
 * API, as backend.vector does, because it measures the processor rather than computing anything.
 */
public final class FmaPeak {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 16;
  private static final int REPEATS = 5_000_000;

  private FmaPeak() {}

  /**
   * Returns floating-point operations a second of a number of threads together, measured for some
   * tens of milliseconds.
   *
   * @param threads how many at once
   */
  public static double flopPerSecond(int threads) {
    double sum = 0;
    for (double seconds : Simultaneously.seconds(threads, thread -> requireNumber())) {
      sum += 2.0 * SPECIES.length() * CHAINS * REPEATS / seconds;
    }
    return sum;
  }

  private static void requireNumber() {
    if (Float.isNaN(chains(REPEATS))) {
      throw new IllegalStateException("the chains converge to a number");
    }
  }

  private static float chains(int repeats) {
    FloatVector x = FloatVector.broadcast(SPECIES, 0.999f);
    FloatVector y = FloatVector.broadcast(SPECIES, 0.001f);
    FloatVector s0 = y;
    FloatVector s1 = y;
    FloatVector s2 = y;
    FloatVector s3 = y;
    FloatVector s4 = y;
    FloatVector s5 = y;
    FloatVector s6 = y;
    FloatVector s7 = y;
    FloatVector s8 = y;
    FloatVector s9 = y;
    FloatVector s10 = y;
    FloatVector s11 = y;
    FloatVector s12 = y;
    FloatVector s13 = y;
    FloatVector s14 = y;
    FloatVector s15 = y;
    for (int i = 0; i < repeats; i++) {
      s0 = s0.fma(x, y);
      s1 = s1.fma(x, y);
      s2 = s2.fma(x, y);
      s3 = s3.fma(x, y);
      s4 = s4.fma(x, y);
      s5 = s5.fma(x, y);
      s6 = s6.fma(x, y);
      s7 = s7.fma(x, y);
      s8 = s8.fma(x, y);
      s9 = s9.fma(x, y);
      s10 = s10.fma(x, y);
      s11 = s11.fma(x, y);
      s12 = s12.fma(x, y);
      s13 = s13.fma(x, y);
      s14 = s14.fma(x, y);
      s15 = s15.fma(x, y);
    }
    FloatVector low = s0.add(s1).add(s2).add(s3).add(s4).add(s5).add(s6).add(s7);
    FloatVector high = s8.add(s9).add(s10).add(s11).add(s12).add(s13).add(s14).add(s15);
    return low.add(high).lane(0);
  }
}
