package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.List;

/**
 * One perturbation length of a sensitive-direction sweep: the stream before a block replaced by x +
 * α·d at every position, KL of the predictions and L2 at the end of the stream at every position.
 * The clean run is made once and is not timed.
 */
public final class SweepWork implements Workload {
  /** Lengths that the library continues from together, as its sweeps do. */
  public static final int TOGETHER = 4;

  private static final int CHECKED_POSITIONS = 3;
  private static final double LENGTH = 8;

  private final Gpt2Weights weights;
  private final TokenBatch tokens;
  private final int layer;
  private final Gpt2 gpt2;
  private final Backend backend;
  private final BaseRun base;
  private final Tensor directions;

  /**
   * Makes the clean run and draws the directions.
   *
   * @param weights of the model
   * @param batch rows
   * @param pos tokens a row
   * @param layer block before which the stream is changed
   * @param backend computes
   */
  public SweepWork(Gpt2Weights weights, int batch, int pos, int layer, Backend backend) {
    this.weights = weights;
    this.tokens = GeneratedModel.tokens(weights.config(), batch, pos);
    this.layer = layer;
    this.backend = backend;
    this.gpt2 = Gpt2.of(weights, backend);
    this.base = gpt2.baseRun(tokens, point());
    this.directions = GeneratedModel.directions(base.activation().shape());
  }

  @Override
  public String name() {
    return "a length of a sweep, "
        + tokens.rows()
        + " x "
        + tokens.maxLength()
        + ", from layer "
        + layer;
  }

  @Override
  public Bound bound() {
    return Bound.FMA;
  }

  /** Returns the products of the blocks after the change and of one unembedding. */
  @Override
  public double amount() {
    Gpt2Config config = weights.config();
    return tokens.tokenCount()
        * (GeneratedModel.blockFlop(config, config.nLayers() - layer)
            + GeneratedModel.unembeddingFlop(config));
  }

  /** Returns the weights. */
  public Gpt2Weights weights() {
    return weights;
  }

  /** Returns the tokens, rows of equal length. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns the block before which the stream is changed. */
  public int layer() {
    return layer;
  }

  /** Returns the clean stream there, [batch, pos, d_model]. */
  public Tensor clean() {
    return base.activation();
  }

  /** Returns the directions, of unit length, [batch, pos, d_model]. */
  public Tensor directions() {
    return directions;
  }

  /**
   * Returns a perturbation length.
   *
   * @param index any; the sample is of index 0
   */
  public double length(int index) {
    return LENGTH * (1 + index % TOGETHER);
  }

  /**
   * Returns the numbers that are compared: KL, then L2, at the first positions of the first row.
   *
   * @param kl nats by position
   * @param l2 by position
   */
  public float[] part(double[] kl, double[] l2) {
    int count = checked();
    float[] part = new float[2 * count];
    for (int i = 0; i < count; i++) {
      part[i] = (float) kl[i];
      part[count + i] = (float) l2[i];
    }
    return part;
  }

  @Override
  public Engine ours() {
    return new Ours(TOGETHER);
  }

  @Override
  public List<Engine> baselines() {
    return List.of(new Ours(1));
  }

  @Override
  public float[] expected() {
    Gpt2Config config = weights.config();
    TokenBatch first = TokenBatch.of(Arrays.copyOf(tokens.row(0), checked()));
    HookPoint last = HookPoint.residPost(config.nLayers() - 1);
    try (Backend reference = Backends.named("scalar")) {
      Gpt2 model = Gpt2.of(weights, reference);
      var clean = model.forward(first, point().capture(), last.capture());
      Tensor change =
          directions.slice(Axis.BATCH, 0, 1).slice(Axis.POS, 0, checked()).times(length(0));
      Tensor replaced = clean.cache().get(point()).plus(change);
      var changed = model.forward(first, point().replace((x, at) -> replaced), last.capture());
      double[] l2 = reference.l2Distance(clean.cache().get(last), changed.cache().get(last));
      double[] kl = new double[checked()];
      for (int t = 0; t < kl.length; t++) {
        kl[t] =
            Divergence.klNats(
                clean.logits().toArray(), changed.logits().toArray(), t, config.dVocab());
      }
      return part(kl, l2);
    }
  }

  // KL is about a hundredth of L2 and is compared to the same absolute difference: it sees 1e-3 of
  // itself, a wrong α or a missing block changes it by far more.
  @Override
  public double tolerance() {
    return 1e-5;
  }

  @Override
  public void close() {
    base.close();
  }

  private int checked() {
    return Math.min(CHECKED_POSITIONS, tokens.maxLength());
  }

  private HookPoint point() {
    return HookPoint.residPre(layer);
  }

  /** By a continuation from the clean run. */
  private final class Ours implements Engine {
    private final int together;
    private final Tensor stacked;
    private PositionValues kl;
    private PositionValues l2;

    private Ours(int together) {
      this.together = together;
      Tensor x = base.activation();
      stacked = backend.allocate(x.shape().with(Axis.BATCH, tokens.rows() * together));
    }

    @Override
    public String name() {
      return together == 1 ? "resid, one length at a time" : "resid, " + together + " lengths";
    }

    @Override
    public double seconds() {
      return Engine.super.seconds() / together;
    }

    @Override
    public void run() {
      Tensor x = base.activation();
      try (var scope = backend.scope()) {
        Tensor one = scope.take(x.shape());
        for (int i = 0; i < together; i++) {
          backend.addScaled(x, length(i), directions, one);
          backend.insert(one, Axis.BATCH, i * tokens.rows(), stacked);
        }
      }
      Continuation continuation = base.continueWith(stacked);
      kl = continuation.klNats();
      l2 = continuation.l2At(HookPoint.residPost(weights.config().nLayers() - 1));
    }

    @Override
    public float[] sample() {
      return part(kl.row(0), l2.row(0));
    }
  }
}
