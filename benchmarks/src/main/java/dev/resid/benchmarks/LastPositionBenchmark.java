package dev.resid.benchmarks;

import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.LastPositionWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Steps at the last position of short prompts, and what a naive way costs. */
public class LastPositionBenchmark extends WorkloadBenchmark {
  /** Which sizes the generated weights have. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Prompts, tokens a prompt, and steps. */
  @Param({"2x10x20", "4x10x100"})
  public String sizes;

  /** Called by JMH. */
  public LastPositionBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] all = sizes(sizes);
    return new LastPositionWork(
        GeneratedModel.weights(GeneratedModel.config(model)), all[0], all[1], all[2], 1, on);
  }

  /** Times all steps in one continuation of the last position. */
  @Benchmark
  public double continued(Rates rates) {
    return runOurs(rates, 1);
  }

  /** Times a tenth of the steps by forward passes of whole prompts. */
  @Benchmark
  public double wholePrompts(Rates rates) {
    return runBaseline(0, rates, 0.1);
  }
}
