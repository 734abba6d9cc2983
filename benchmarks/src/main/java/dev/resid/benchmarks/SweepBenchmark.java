package dev.resid.benchmarks;

import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.SweepWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One perturbation length of a sweep, with KL and L2 at every position. */
public class SweepBenchmark extends WorkloadBenchmark {
  /** Which sizes the generated weights have. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Rows and tokens a row. */
  @Param({"2x16", "16x128"})
  public String tokens;

  /** Block before which the stream is changed. */
  @Param({"1", "6"})
  public int layer;

  /** Called by JMH. */
  public SweepBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(tokens);
    return new SweepWork(
        GeneratedModel.weights(GeneratedModel.config(model)), sizes[0], sizes[1], layer, on);
  }

  /** Times four lengths in one continuation. */
  @Benchmark
  public double fourLengths(Rates rates) {
    return runOurs(rates, SweepWork.TOGETHER);
  }

  /** Times one length. */
  @Benchmark
  public double oneLength(Rates rates) {
    return runBaseline(0, rates, 1);
  }
}
