package dev.resid.benchmarks;

import dev.resid.benchmarks.work.ForwardWork;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A forward pass with the logits of every position. */
public class ForwardBenchmark extends WorkloadBenchmark {
  /** Which sizes the generated weights have. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Rows and tokens a row. */
  @Param({"2x16", "16x128", "1x128", "1x1024"})
  public String tokens;

  /** Called by JMH. */
  public ForwardBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(tokens);
    return new ForwardWork(
        GeneratedModel.weights(GeneratedModel.config(model)), sizes[0], sizes[1], on);
  }

  /** Times the pass. */
  @Benchmark
  public double forward(Rates rates) {
    return runOurs(rates, 1);
  }
}
