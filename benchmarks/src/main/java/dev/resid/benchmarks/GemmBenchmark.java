package dev.resid.benchmarks;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.benchmarks.work.Agreement;
import dev.resid.benchmarks.work.FmaPeak;
import dev.resid.benchmarks.work.Jvm;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
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
 * Matrix products of the vector backend at GPT-2's sizes, forward and both gradients. Besides the
 * products a second JMH prints {@code gigaflop} (10⁹ operations a second) and {@code
 * percentOfPeak}: of what fused multiply-adds on registers reach on as many threads, measured
 * before every iteration, since a shared machine's speed changes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {Jvm.VECTOR_API, Jvm.GC, Jvm.HEAP})
public class GemmBenchmark {
  /** Rows, inner size and columns. */
  @Param({
    "8x768x768",
    "1x768x3072",
    "2048x768x768",
    "2048x768x2304",
    "2048x768x3072",
    "2048x3072x768",
    "2048x768x50257"
  })
  public String size;

  /** Threads of the backend. */
  @Param({"1", "2"})
  public int threads;

  private int rows;
  private int in;
  private int columns;
  private Backend backend;
  private Matrix w;
  private Tensor x;
  private Tensor bias;
  private Tensor out;
  private Tensor inputGradient;
  private Tensor weightGradient;
  private double peak;

  /** Called by JMH. */
  public GemmBenchmark() {}

  /** What JMH prints a second beside the products. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Rates {
    /** 10⁹ floating-point operations. */
    public double gigaflop;

    /** Hundredths of what the peak would do in a second. */
    public double percentOfPeak;

    /** Called by JMH. */
    public Rates() {}
  }

  /** Draws the operands and compares all three products with the reference on a few rows. */
  @Setup(Level.Trial)
  public void open() {
    String[] sizes = size.split("x");
    rows = Integer.parseInt(sizes[0]);
    in = Integer.parseInt(sizes[1]);
    columns = Integer.parseInt(sizes[2]);
    backend = Backends.named("vector", BackendOptions.defaults().withThreads(threads));
    SplittableRandom random = new SplittableRandom(20);
    Tensor weights = uniform(random, Shape.of(Axis.IN, in, Axis.OUT, columns));
    w = backend.pack(weights);
    x = uniform(random, Shape.of(Axis.ROW, rows, Axis.IN, in));
    bias = uniform(random, Shape.of(Axis.OUT, columns));
    out = Tensor.zeros(Shape.of(Axis.ROW, rows, Axis.OUT, columns));
    inputGradient = Tensor.zeros(x.shape());
    weightGradient = Tensor.zeros(weights.shape());
    compare(weights);
    linear();
  }

  // Two rows are enough: the contract of the backends says that a row does not depend on others.
  private void compare(Tensor weights) {
    int some = Math.min(2, rows);
    Tensor input = x.slice(Axis.ROW, 0, some);
    Tensor[] found = products(backend, w, input);
    try (Backend reference = Backends.named("scalar")) {
      Tensor[] expected = products(reference, reference.pack(weights), input);
      // Chains of n terms below 1/2 in float32: n/4 · n · 2^-24 at most, and far less in practice.
      double tolerance = 1e-6 * Math.max(in, columns);
      String[] names = {"linear", "linearBackwardInput", "addOuterProducts"};
      for (int i = 0; i < names.length; i++) {
        Agreement.require(names[i], expected[i], found[i], tolerance);
      }
    }
  }

  private Tensor[] products(Backend on, Matrix matrix, Tensor input) {
    Tensor forward = Tensor.zeros(out.shape().with(Axis.ROW, input.shape().size(Axis.ROW)));
    Tensor backward = Tensor.zeros(input.shape());
    Tensor sum = Tensor.zeros(weightGradient.shape());
    on.linear(input, matrix, bias, Activation.IDENTITY, forward);
    on.linearBackwardInput(forward, matrix, backward);
    on.addOuterProducts(input, forward, sum);
    return new Tensor[] {forward, backward, sum};
  }

  /** Measures the peak of this moment. */
  @Setup(Level.Iteration)
  public void measurePeak() {
    FmaPeak.flopPerSecond(threads);
    peak = FmaPeak.flopPerSecond(threads);
  }

  /** Ends the backend's threads. */
  @TearDown(Level.Trial)
  public void close() {
    backend.close();
  }

  /** Times x·w + bias. */
  @Benchmark
  public Tensor forward(Rates rates) {
    count(rates);
    return linear();
  }

  /** Times the gradient to x. */
  @Benchmark
  public Tensor backwardInput(Rates rates) {
    count(rates);
    backend.linearBackwardInput(out, w, inputGradient);
    return inputGradient;
  }

  /** Times the gradient to w. */
  @Benchmark
  public Tensor backwardWeights(Rates rates) {
    count(rates);
    backend.addOuterProducts(x, out, weightGradient);
    return weightGradient;
  }

  private Tensor linear() {
    backend.linear(x, w, bias, Activation.IDENTITY, out);
    return out;
  }

  private void count(Rates rates) {
    double flop = 2.0 * rows * in * columns;
    rates.gigaflop += flop / 1e9;
    rates.percentOfPeak += 100 * flop / peak;
  }

  private static Tensor uniform(SplittableRandom random, Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-0.5, 0.5);
    }
    return Tensor.wrap(shape, values);
  }
}
