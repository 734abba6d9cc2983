package dev.resid.benchmarks;

import dev.resid.benchmarks.work.GeneratedModel;
import dev.resid.benchmarks.work.TrainingWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.model.Gpt2Config;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A step of training: forward, backward and AdamW. */
public class TrainingBenchmark extends WorkloadBenchmark {
  /** Which sizes the model has. */
  @Param({"tiny", "embedded", "gpt2-small"})
  public String model;

  /** Rows and tokens a row. */
  @Param({"2x16", "8x256", "4x128"})
  public String tokens;

  /** Called by JMH. */
  public TrainingBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(tokens);
    Gpt2Config config = model.equals("tiny") ? TrainingWork.TINY : GeneratedModel.config(model);
    return new TrainingWork(config, sizes[0], sizes[1], on);
  }

  /** Times a step. */
  @Benchmark
  public double step(Rates rates) {
    return runOurs(rates, 1);
  }
}
