package dev.resid.benchmarks;

import dev.resid.backend.BackendOptions;
import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.sae.Architecture;
import dev.resid.sae.DecoderBias;
import dev.resid.sae.Normalization;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.sae.SaeConfig.Provenance;
import dev.resid.sae.SaeConfig.TopKScale;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.SaeWeights;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
 * Encoding and decoding by an SAE of which about one feature in 400 is active, at GPT-2's sizes:
 * 24,576 features give an L0 of about 60. {@code densePair} is what it is related to: the product
 * with the encoder and the product of dense features with the decoder, which a framework without
 * sparse features computes, on the same backend. Besides operations a second JMH prints {@code
 * percentOfPeak}: the share that the encoder's product alone (for {@code densePair}, both) has of
 * what fused multiply-adds on registers reach.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {Jvm.VECTOR_API, Jvm.GC})
public class SaeBenchmark {
  // A normal number exceeds it once in 410.
  private static final float BIAS = -2.815f;

  /** Rows, width and features. */
  @Param({"64x48x1000", "2048x768x24576"})
  public String size;

  /** Which features are kept: those above 0, or the 60 largest. */
  @Param({"RELU", "TOP_K"})
  public String architecture;

  /** Threads of the backend. */
  @Param({"1", "2"})
  public int threads;

  private int rows;
  private int width;
  private int features;
  private Backend backend;
  private Sae sae;
  private Tensor x;
  private Matrix encoder;
  private Matrix decoder;
  private Tensor encoderBias;
  private Tensor decoderBias;
  private Tensor dense;
  private Tensor out;
  private double peak;

  /** Called by JMH. */
  public SaeBenchmark() {}

  /** What JMH prints a second beside the operations. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Rates {
    /** Hundredths of what the peak would do in a second. */
    public double percentOfPeak;

    /** Called by JMH. */
    public Rates() {}
  }

  /** Draws SAE and activations, and compares with the reference on a few rows. */
  @Setup(Level.Trial)
  public void open() {
    String[] sizes = size.split("x");
    rows = Integer.parseInt(sizes[0]);
    width = Integer.parseInt(sizes[1]);
    features = Integer.parseInt(sizes[2]);
    backend = Backends.named("vector", BackendOptions.defaults().withThreads(threads));
    SaeConfig config = config();
    SaeWeights weights = weights(config, new SplittableRandom(20));
    sae = Sae.of(config, weights, backend);
    x = normal(new SplittableRandom(21), Shape.of(Axis.ROW, rows, Axis.D_MODEL, width), 1);
    try (Backend reference = Backends.named("scalar")) {
      Tensor some = x.slice(Axis.ROW, 0, Math.min(2, rows));
      Sae expected = Sae.of(config, weights, reference);
      // Chains of `width` terms of about 1/√width in float32, far from 1e-6·width in practice; a
      // feature that rounding makes active has a value as small.
      double tolerance = 1e-6 * width;
      Agreement.require(
          "features", expected.encode(some).toDense(), sae.encode(some).toDense(), tolerance);
      Agreement.require(
          "reconstruction", expected.reconstruct(some), sae.reconstruct(some), tolerance);
    }
    System.out.printf("active features a row: %.1f%n", (double) sae.encode(x).count() / rows);
    encoder = backend.pack(weights.get(SaeWeight.W_enc));
    decoder = backend.pack(weights.get(SaeWeight.W_dec));
    encoderBias = weights.get(SaeWeight.b_enc);
    decoderBias = weights.get(SaeWeight.b_dec);
    dense = backend.allocate(Shape.of(Axis.ROW, rows, Axis.D_SAE, features));
    out = backend.allocate(x.shape());
  }

  private SaeConfig config() {
    Architecture kind = Architecture.valueOf(architecture);
    return new SaeConfig(
        "random",
        kind,
        width,
        features,
        width,
        kind == Architecture.TOP_K ? OptionalInt.of(Math.min(60, features)) : OptionalInt.empty(),
        TopKScale.PLAIN,
        Normalization.NONE,
        1,
        DecoderBias.SUBTRACTED_AND_ADDED,
        HookPoint.residPre(8),
        HookPoint.residPre(8),
        Optional.empty(),
        Provenance.UNKNOWN);
  }

  private static SaeWeights weights(SaeConfig config, SplittableRandom random) {
    Map<SaeWeight, Tensor> all = new EnumMap<>(SaeWeight.class);
    for (SaeWeight weight :
        new SaeWeight[] {SaeWeight.W_enc, SaeWeight.b_enc, SaeWeight.W_dec, SaeWeight.b_dec}) {
      Shape shape = weight.shape(config.dIn(), config.dSae(), config.dOut());
      all.put(
          weight,
          switch (weight) {
            case b_enc -> Tensor.zeros(shape).map(zero -> BIAS);
            case b_dec -> normal(random, shape, 0.01);
            default -> normal(random, shape, 1 / Math.sqrt(config.dIn()));
          });
    }
    return new SaeWeights(all);
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

  /** Times features and reconstruction. */
  @Benchmark
  public Tensor encodeAndDecode(Rates rates) {
    rates.percentOfPeak += 100 * 2.0 * rows * width * features / peak;
    SparseFeatures active = sae.encode(x);
    return sae.decode(active, x);
  }

  /** Times the two dense products that a framework without sparse features computes. */
  @Benchmark
  public Tensor densePair(Rates rates) {
    rates.percentOfPeak += 100 * 4.0 * rows * width * features / peak;
    backend.linear(x, encoder, encoderBias, Activation.RELU, dense);
    backend.linear(dense, decoder, decoderBias, Activation.IDENTITY, out);
    return out;
  }

  private static Tensor normal(SplittableRandom random, Shape shape, double deviation) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return Tensor.wrap(shape, values);
  }
}
