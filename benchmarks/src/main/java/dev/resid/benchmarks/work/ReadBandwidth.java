package dev.resid.benchmarks.work;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * How many bytes a second the machine reads at best: sums of an array as large as the weights of a
 * workload, with eight independent accumulators a thread. Imports the Vector API, as backend.vector
 * does, because it measures the processor rather than computing anything.
 */
public final class ReadBandwidth {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int STEP = 8 * SPECIES.length();

  private final float[][] parts;

  /**
   * Allocates what is read.
   *
   * @param bytes size of all parts together
   * @param threads how many read at once
   */
  public ReadBandwidth(long bytes, int threads) {
    int each = Math.toIntExact(bytes / Float.BYTES / threads / STEP * STEP);
    if (each == 0) {
      throw new IllegalArgumentException(
          bytes + " bytes are too few for " + threads + " threads to read");
    }
    parts = new float[threads][each];
    for (float[] part : parts) {
      java.util.Arrays.fill(part, 1);
    }
  }

  /** Returns bytes a second of all threads together, from reading everything once. */
  public double bytesPerSecond() {
    double[] seconds =
        Simultaneously.seconds(
            parts.length,
            thread -> {
              if (!(sum(parts[thread]) > 0)) {
                throw new IllegalStateException("the sum of ones is positive");
              }
            });
    double slowest = 0;
    for (double each : seconds) {
      slowest = Math.max(slowest, each);
    }
    return (double) parts.length * parts[0].length * Float.BYTES / slowest;
  }

  private static float sum(float[] x) {
    FloatVector s0 = FloatVector.zero(SPECIES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector s4 = s0;
    FloatVector s5 = s0;
    FloatVector s6 = s0;
    FloatVector s7 = s0;
    int lanes = SPECIES.length();
    for (int i = 0; i <= x.length - STEP; i += STEP) {
      s0 = s0.add(FloatVector.fromArray(SPECIES, x, i));
      s1 = s1.add(FloatVector.fromArray(SPECIES, x, i + lanes));
      s2 = s2.add(FloatVector.fromArray(SPECIES, x, i + 2 * lanes));
      s3 = s3.add(FloatVector.fromArray(SPECIES, x, i + 3 * lanes));
      s4 = s4.add(FloatVector.fromArray(SPECIES, x, i + 4 * lanes));
      s5 = s5.add(FloatVector.fromArray(SPECIES, x, i + 5 * lanes));
      s6 = s6.add(FloatVector.fromArray(SPECIES, x, i + 6 * lanes));
      s7 = s7.add(FloatVector.fromArray(SPECIES, x, i + 7 * lanes));
    }
    return s0.add(s1).add(s2).add(s3).add(s4).add(s5).add(s6).add(s7).lane(0);
  }
}
