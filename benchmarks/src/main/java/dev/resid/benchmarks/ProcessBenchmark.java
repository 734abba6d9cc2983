package dev.resid.benchmarks;

import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.LoadWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;

/** From starting a JVM to the logits of eight tokens, of a model in a safetensors file. */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class ProcessBenchmark extends WorkloadBenchmark {
  /** Which sizes the generated weights have. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Called by JMH. */
  public ProcessBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    return new LoadWork(GeneratedModel.weights(GeneratedModel.config(model)), count);
  }

  /** Times a whole process. */
  @Benchmark
  public double load(Rates rates) {
    return runOurs(rates, 1);
  }
}
