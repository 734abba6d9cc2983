package dev.resid.benchmarks;

import dev.resid.benchmarks.work.SaeWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.sae.Architecture;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Encoding and decoding by an SAE that keeps the 60 largest features. */
public class TopKSaeBenchmark extends WorkloadBenchmark {
  /** Rows, width and features. */
  @Param({"64x48x1000", "2048x768x24576"})
  public String size;

  /** Called by JMH. */
  public TopKSaeBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(size);
    return new SaeWork(Architecture.TOP_K, sizes[0], sizes[1], sizes[2], on);
  }

  /** Times features and reconstruction. */
  @Benchmark
  public double encodeAndDecode(Rates rates) {
    return runOurs(rates, 1);
  }
}
