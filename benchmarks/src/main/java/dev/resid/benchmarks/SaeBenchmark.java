package dev.resid.benchmarks;

import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.sae.Architecture;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Encoding and decoding by an SAE of which about one feature in 400 is active, at GPT-2's sizes:
 * 24,576 features give an L0 of about 60. {@code densePair} is what it is related to: the product
 * with the encoder and the product of dense features with the decoder, which a framework without
 * sparse features computes, on the same backend. The limit counts the encoder's product alone, for
 * {@code densePair} both.
 */
public class SaeBenchmark extends WorkloadBenchmark {
  /** Rows, width and features. */
  @Param({"64x48x1000", "2048x768x24576"})
  public String size;

  /** Called by JMH. */
  public SaeBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(size);
    SaeWork work = new SaeWork(Architecture.RELU, sizes[0], sizes[1], sizes[2], on);
    System.out.printf("active features a row: %.1f%n", work.activeFeatures());
    return work;
  }

  /** Times features and reconstruction. */
  @Benchmark
  public double encodeAndDecode(Rates rates) {
    return runOurs(rates, 1);
  }

  /** Times the two dense products that a framework without sparse features computes. */
  @Benchmark
  public double densePair(Rates rates) {
    return runBaseline(0, rates, 2);
  }
}
