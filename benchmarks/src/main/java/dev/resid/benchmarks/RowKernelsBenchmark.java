package dev.resid.benchmarks;

import dev.resid.backend.Backends;
import dev.resid.benchmarks.work.Agreement;
import dev.resid.benchmarks.work.Jvm;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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

/** The kernels that take one row at a time: layer norm, softmax and GELU. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 2,
    jvmArgsAppend = {Jvm.VECTOR_API, Jvm.GC, Jvm.HEAP})
public class RowKernelsBenchmark {
  /**
   * Relative to the larger of 1 and the value. The float32 chain of a layer norm or a GELU is under
   * twenty roundings of 2^-24 each, about 1.2e-6; a kernel with a wrong formula is off by far more
   * than ten times that.
   */
  private static final double TOLERANCE = 1.2e-5;

  private static final double EPSILON = 1e-5;

  /** What computes. */
  @Param({"vector", "scalar"})
  public String backendName;

  /** Sizes of a row: the residual stream of the four GPT-2 models. */
  @Param({"768", "1024", "1280", "1600"})
  public int dModel;

  /** Rows: one position, and a full context. */
  @Param({"1", "1024"})
  public int positions;

  private Backend backend;
  private Tensor x;
  private Tensor gamma;
  private Tensor beta;
  private Tensor scale;
  private Tensor out;

  /** Called by JMH. */
  public RowKernelsBenchmark() {}

  /** Draws the input and compares every kernel with the reference. */
  @Setup(Level.Trial)
  public void open() {
    backend = Backends.named(backendName);
    SplittableRandom random = new SplittableRandom(20);
    Shape rows = Shape.of(Axis.POS, positions, Axis.D_MODEL, dModel);
    Shape row = Shape.of(Axis.D_MODEL, dModel);
    x = normal(random, rows);
    gamma = normal(random, row);
    beta = normal(random, row);
    scale = Tensor.zeros(Shape.of(Axis.POS, positions, Axis.ONE, 1));
    out = Tensor.zeros(rows);
    try (Backend reference = Backends.named("scalar")) {
      Tensor expectedScale = Tensor.zeros(scale.shape());
      Tensor expected = Tensor.zeros(rows);
      reference.layerNormScale(x, EPSILON, expectedScale);
      reference.layerNormApply(x, expectedScale, gamma, beta, expected);
      Agreement.require("layer norm", expected, layerNorm(), TOLERANCE);
      reference.softmax(x, expected);
      Agreement.require("softmax", expected, softmax(), TOLERANCE);
      reference.activate(x, Activation.GELU_NEW, expected);
      Agreement.require("gelu", expected, gelu(), TOLERANCE);
    }
  }

  /** Ends the backend's threads. */
  @TearDown(Level.Trial)
  public void close() {
    backend.close();
  }

  /** Times scale and normalisation. */
  @Benchmark
  public Tensor layerNorm() {
    backend.layerNormScale(x, EPSILON, scale);
    backend.layerNormApply(x, scale, gamma, beta, out);
    return out;
  }

  /** Times a softmax over a row. */
  @Benchmark
  public Tensor softmax() {
    backend.softmax(x, out);
    return out;
  }

  /** Times GPT-2's activation function. */
  @Benchmark
  public Tensor gelu() {
    backend.activate(x, Activation.GELU_NEW, out);
    return out;
  }

  private static Tensor normal(SplittableRandom random, Shape shape) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.wrap(shape, values);
  }
}
