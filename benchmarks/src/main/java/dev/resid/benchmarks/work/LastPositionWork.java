package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;

/**
 * Steps along a line at the last position of short prompts, and the KL of the next token after each
 * step: the library continues from cached keys and values, for all steps at once; the naive way
 * runs the whole model on the whole prompt for every step.
 */
public final class LastPositionWork implements Workload {
  private static final double STEP = 0.2;

  private final Gpt2Weights weights;
  private final TokenBatch tokens;
  private final int steps;
  private final int layer;
  private final Gpt2 gpt2;
  private final BaseRun base;
  private final Tensor directions;

  /**
   * Makes the clean run.
   *
   * @param weights of the model
   * @param prompts how many
   * @param pos tokens a prompt
   * @param steps along the line
   * @param layer block before which the stream is changed
   * @param backend computes
   */
  public LastPositionWork(
      Gpt2Weights weights, int prompts, int pos, int steps, int layer, Backend backend) {
    this.weights = weights;
    this.tokens = GeneratedModel.tokens(weights.config(), prompts, pos);
    this.steps = steps;
    this.layer = layer;
    this.gpt2 = Gpt2.of(weights, backend);
    this.base = gpt2.baseRun(tokens, point());
    this.directions = GeneratedModel.directions(base.activation().shape());
  }

  @Override
  public String name() {
    return steps
        + " steps at the last of "
        + tokens.maxLength()
        + " tokens, "
        + tokens.rows()
        + " prompts, from layer "
        + layer;
  }

  @Override
  public Bound bound() {
    return Bound.FMA;
  }

  /** Returns the products of one position for every step. */
  @Override
  public double amount() {
    Gpt2Config config = weights.config();
    return (double) tokens.rows()
        * steps
        * (GeneratedModel.blockFlop(config, config.nLayers() - layer)
            + GeneratedModel.unembeddingFlop(config));
  }

  @Override
  public Engine ours() {
    return new Ours();
  }

  @Override
  public List<Engine> baselines() {
    return List.of(new Naive());
  }

  // The last step of the first prompt.
  @Override
  public float[] expected() {
    TokenBatch first = tokens.slice(0, 1);
    int last = tokens.maxLength() - 1;
    try (Backend reference = Backends.named("scalar")) {
      Gpt2 model = Gpt2.of(weights, reference);
      float[] clean = model.forward(first).logits().toArray();
      Tensor x = changed(steps - 1).slice(Axis.BATCH, 0, 1);
      float[] after = model.forward(first, point().replace((was, at) -> x)).logits().toArray();
      return new float[] {(float) Divergence.klNats(clean, after, last, weights.config().dVocab())};
    }
  }

  // KL is a mean of differences of logits that float32 gives to 1e-6 of the largest.
  @Override
  public double tolerance() {
    return 1e-3;
  }

  @Override
  public void close() {
    base.close();
  }

  private HookPoint point() {
    return HookPoint.residPre(layer);
  }

  /** Returns the stream after a step, of all prompts; positions before the last are clean. */
  private Tensor changed(int step) {
    Tensor x = base.activation();
    float[] values = x.toArray();
    float[] directed = directions.toArray();
    int width = x.shape().last();
    int pos = tokens.maxLength();
    for (int row = 0; row < tokens.rows(); row++) {
      int from = (row * pos + pos - 1) * width;
      for (int i = from; i < from + width; i++) {
        values[i] += (float) (STEP * (step + 1) * directed[i]);
      }
    }
    return Tensor.wrap(x.shape(), values);
  }

  /** All steps in one continuation of the last position. */
  private final class Ours implements Engine {
    private PositionValues kl;

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      Tensor x = base.activation();
      float[] all = new float[Math.toIntExact(x.elements() * steps)];
      for (int step = 0; step < steps; step++) {
        float[] one = changed(step).toArray();
        System.arraycopy(one, 0, all, step * one.length, one.length);
      }
      Tensor stacked = Tensor.wrap(x.shape().with(Axis.BATCH, tokens.rows() * steps), all);
      kl = base.continueWith(stacked).klNats();
    }

    @Override
    public float[] sample() {
      int row = (steps - 1) * tokens.rows();
      return new float[] {(float) kl.get(row, tokens.maxLength() - 1)};
    }
  }

  /** A forward pass of whole prompts for every step; a run makes a tenth of the steps. */
  private final class Naive implements Engine {
    private final int made = Math.max(1, steps / 10);
    private final float[] clean = base.logits().toArray();
    private double[] kl;

    @Override
    public String name() {
      return "resid, whole prompts";
    }

    @Override
    public double seconds() {
      return Engine.super.seconds() / made * steps;
    }

    @Override
    public void run() {
      for (int step = steps - made; step < steps; step++) {
        Tensor x = changed(step);
        float[] after = gpt2.forward(tokens, point().replace((was, at) -> x)).logits().toArray();
        kl = new double[tokens.rows()];
        for (int row = 0; row < kl.length; row++) {
          int last = row * tokens.maxLength() + tokens.maxLength() - 1;
          kl[row] = Divergence.klNats(clean, after, last, weights.config().dVocab());
        }
      }
    }

    @Override
    public float[] sample() {
      return new float[] {(float) kl[0]};
    }
  }
}
