package dev.resid.benchmarks;

import dev.resid.benchmarks.work.DecodeWork;
import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** New tokens of one stream after a short prompt, with cached keys and values. */
public class DecodeBenchmark extends WorkloadBenchmark {
  private static final int TOKENS = 32;

  /** Which sizes the generated weights have. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Called by JMH. */
  public DecodeBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    return new DecodeWork(GeneratedModel.weights(GeneratedModel.config(model)), 4, TOKENS, on);
  }

  @Override
  long bytesRead() {
    return Math.max(1 << 20, GeneratedModel.config(model).parameters() * Float.BYTES);
  }

  /** Times a prompt of four tokens, which reads the weights once, and 31 more passes. */
  @Benchmark
  public double tokens(Rates rates) {
    return runOurs(rates, TOKENS);
  }
}
