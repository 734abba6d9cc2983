package dev.resid.benchmarks.work;

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
import dev.resid.tensor.Activation;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Matrix;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;

/**
 * Encoding and decoding by an SAE of which about one feature in 400 is active: 24,576 features give
 * an L0 of about 60. The amount is the encoder's product; the decoder's costs one in 400 of it
 * where features are sparse, and as much again where they are dense.
 */
public final class SaeWork implements Workload {
  // A normal number exceeds it once in 410.
  private static final float BIAS = -2.815f;
  private static final int CHECKED_ROWS = 2;

  private final Architecture architecture;
  private final int rows;
  private final int width;
  private final int features;
  private final Backend backend;
  private final SaeConfig config;
  private final SaeWeights weights;
  private final Tensor x;
  private final Ours ours;

  /**
   * Draws SAE and activations.
   *
   * @param architecture RELU, or TOP_K of the 60 largest
   * @param rows activations
   * @param width of an activation
   * @param features of the SAE
   * @param backend computes
   */
  public SaeWork(Architecture architecture, int rows, int width, int features, Backend backend) {
    this.architecture = architecture;
    this.rows = rows;
    this.width = width;
    this.features = features;
    this.backend = backend;
    config = config();
    weights = weights(config, new SplittableRandom(20));
    x = normal(new SplittableRandom(21), Shape.of(Axis.ROW, rows, Axis.D_MODEL, width), 1);
    ours = new Ours(Sae.of(config, weights, backend));
  }

  @Override
  public String name() {
    return "SAE, encode and decode, " + rows + " x " + width + " x " + features;
  }

  @Override
  public Bound bound() {
    return Bound.FMA;
  }

  @Override
  public double amount() {
    return 2.0 * rows * width * features;
  }

  /** Returns the activations, [row, d_model]. */
  public Tensor x() {
    return x;
  }

  /** Returns the weights of the SAE. */
  public SaeWeights weights() {
    return weights;
  }

  /** Returns the number of features. */
  public int features() {
    return features;
  }

  /** Returns how many numbers of the reconstruction, [row, d_model], are compared. */
  public int checked() {
    return Math.min(CHECKED_ROWS, rows) * width;
  }

  /** Returns the mean number of active features a row. */
  public double activeFeatures() {
    return (double) ours.sae.encode(x).count() / rows;
  }

  @Override
  public Ours ours() {
    return ours;
  }

  @Override
  public List<Engine> baselines() {
    return architecture == Architecture.RELU ? List.of(new Dense()) : List.of();
  }

  @Override
  public float[] expected() {
    try (Backend reference = Backends.named("scalar")) {
      Tensor some = x.slice(Axis.ROW, 0, Math.min(CHECKED_ROWS, rows));
      return Sae.of(config, weights, reference).reconstruct(some).toArray();
    }
  }

  // Chains of `width` terms of about 1/√width; a feature that rounding makes active is as small.
  @Override
  public double tolerance() {
    return 1e-6 * Math.sqrt(width);
  }

  private SaeConfig config() {
    boolean topK = architecture == Architecture.TOP_K;
    return new SaeConfig(
        "random",
        architecture,
        width,
        features,
        width,
        topK ? OptionalInt.of(Math.min(60, features)) : OptionalInt.empty(),
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

  private static Tensor normal(SplittableRandom random, Shape shape, double deviation) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return Tensor.wrap(shape, values);
  }

  /** By the library's SAE, whose features are sparse. */
  public final class Ours implements Engine {
    private final Sae sae;
    private Tensor reconstruction;

    private Ours(Sae sae) {
      this.sae = sae;
    }

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      reconstruction = sae.decode(sae.encode(x), x);
    }

    @Override
    public float[] sample() {
      return java.util.Arrays.copyOf(reconstruction.toArray(), checked());
    }
  }

  /** By the two dense products that a framework without sparse features computes. */
  private final class Dense implements Engine {
    private final Matrix encoder = backend.pack(weights.get(SaeWeight.W_enc));
    private final Matrix decoder = backend.pack(weights.get(SaeWeight.W_dec));
    private final Tensor b_dec = weights.get(SaeWeight.b_dec);
    private final Tensor active = backend.allocate(Shape.of(Axis.ROW, rows, Axis.D_SAE, features));
    private final Tensor out = backend.allocate(x.shape());
    private final Tensor centred = backend.allocate(x.shape());
    private final Tensor b_decRows = backend.allocate(x.shape());

    private Dense() {
      float[] one = b_dec.toArray();
      float[] all = new float[rows * width];
      for (int r = 0; r < rows; r++) {
        System.arraycopy(one, 0, all, r * width, width);
      }
      backend.copy(Tensor.wrap(x.shape(), all), b_decRows);
    }

    @Override
    public String name() {
      return "resid, dense features";
    }

    @Override
    public void run() {
      backend.addScaled(x, -1, b_decRows, centred);
      backend.linear(centred, encoder, weights.get(SaeWeight.b_enc), Activation.RELU, active);
      backend.linear(active, decoder, b_dec, Activation.IDENTITY, out);
    }

    @Override
    public float[] sample() {
      return java.util.Arrays.copyOf(out.toArray(), checked());
    }
  }
}
