package dev.resid.benchmarks;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.benchmarks.work.Bound;
import dev.resid.benchmarks.work.Engine;
import dev.resid.benchmarks.work.FmaPeak;
import dev.resid.benchmarks.work.Jvm;
import dev.resid.benchmarks.work.ReadBandwidth;
import dev.resid.benchmarks.work.Workload;
import dev.resid.tensor.Backend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the benchmarks of workloads share: each compares its engines with the reference, then times
 * them, and besides operations a second prints {@code percentOfLimit}: the share of the
 * multiply-adds or of the read bandwidth that the machine reaches at best on as many threads,
 * measured before every iteration, since a shared machine's speed changes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 7, time = 3)
@Fork(
    value = 1,
    jvmArgsAppend = {Jvm.VECTOR_API, Jvm.GC, Jvm.HEAP_FOR_RESULTS, Jvm.TOUCHED})
public abstract class WorkloadBenchmark {
  /** Threads of the backend; 0 for all processors. */
  @Param("0")
  public int threads;

  private Backend backend;
  private Workload work;
  private Engine ours;
  private final List<Engine> baselines = new ArrayList<>();
  private ReadBandwidth bandwidth;
  private double limit;

  /** Called by JMH. */
  protected WorkloadBenchmark() {}

  /** What JMH prints a second beside the operations. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Rates {
    /** Hundredths of what the limit of the workload would allow in a second. */
    public double percentOfLimit;

    /** Called by JMH. */
    public Rates() {}
  }

  /**
   * Generates the work.
   *
   * @param on computes
   * @param count its threads
   */
  abstract Workload create(Backend on, int count);

  /** Returns how many bytes the bandwidth is measured on, for a workload that it limits. */
  long bytesRead() {
    return 1 << 20;
  }

  /** Generates the work and compares every engine with the reference. */
  @Setup(Level.Trial)
  public void open() {
    BackendOptions options = BackendOptions.defaults();
    options = threads == 0 ? options : options.withThreads(threads);
    backend = Backends.named("vector", options);
    work = create(backend, options.threads());
    ours = work.ours();
    baselines.addAll(work.baselines());
    float[] expected = work.expected();
    work.check(ours, expected);
    baselines.forEach(engine -> work.check(engine, expected));
    if (work.bound() == Bound.READ) {
      bandwidth = new ReadBandwidth(bytesRead(), options.threads());
    }
  }

  /** Measures the limit of this moment. */
  @Setup(Level.Iteration)
  public void measureLimit() {
    int count = threads == 0 ? BackendOptions.defaults().threads() : threads;
    limit =
        switch (work.bound()) {
          case FMA -> Math.max(FmaPeak.flopPerSecond(count), FmaPeak.flopPerSecond(count));
          case READ -> Math.max(bandwidth.bytesPerSecond(), bandwidth.bytesPerSecond());
          case NONE -> Double.POSITIVE_INFINITY;
        };
  }

  /** Ends the backend's threads. */
  @TearDown(Level.Trial)
  public void close() {
    ours.close();
    baselines.forEach(Engine::close);
    work.close();
    backend.close();
  }

  /** Runs this library's engine once and returns its note. */
  double runOurs(Rates rates, double units) {
    rates.percentOfLimit += 100 * units * work.amount() / limit;
    return ours.seconds();
  }

  /** Runs a plainer way once. */
  double runBaseline(int index, Rates rates, double units) {
    rates.percentOfLimit += 100 * units * work.amount() / limit;
    return baselines.get(index).seconds();
  }

  /** Returns the work. */
  Workload work() {
    return work;
  }

  /**
   * Returns the numbers of a parameter such as {@code 2048x768x3072}.
   *
   * @param size numbers between the letter x
   */
  static int[] sizes(String size) {
    return java.util.Arrays.stream(size.split("x")).mapToInt(Integer::parseInt).toArray();
  }
}
