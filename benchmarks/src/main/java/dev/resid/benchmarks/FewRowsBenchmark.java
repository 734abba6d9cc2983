package dev.resid.benchmarks;

import dev.resid.benchmarks.work.ProductWork;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Products of few rows with weights that come from memory: one operation reads a gigabyte of
 * matrices, one after the other.
 */
public class FewRowsBenchmark extends WorkloadBenchmark {
  /** Rows of the input. */
  @Param({"1", "2", "4", "8", "16"})
  public int rows;

  /** Inner size and columns of a matrix. */
  @Param({"48x64", "768x3072", "768x768", "768x2304", "3072x768", "768x50257"})
  public String size;

  /** Called by JMH. */
  public FewRowsBenchmark() {}

  @Override
  Workload create(Backend on, int count) {
    int[] sizes = sizes(size);
    return ProductWork.fewRows(rows, sizes[0], sizes[1], bytesRead(), on);
  }

  // The smallest size is for a moment's run.
  @Override
  long bytesRead() {
    return size.equals("48x64") ? 1 << 20 : 1 << 30;
  }

  /** Times all products of the pool. */
  @Benchmark
  public double product(Rates rates) {
    return runOurs(rates, 1);
  }
}
