package dev.resid.benchmarks.work;

import dev.resid.backend.Backends;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;

/** A forward pass with the logits of every position. */
public final class ForwardWork implements Workload {
  private static final int CHECKED_POSITIONS = 3;

  private final Gpt2Weights weights;
  private final TokenBatch tokens;
  private final Ours ours;

  /**
   * Generates the tokens and packs the model.
   *
   * @param weights of the model
   * @param batch rows
   * @param pos tokens a row
   * @param backend computes
   */
  public ForwardWork(Gpt2Weights weights, int batch, int pos, Backend backend) {
    this.weights = weights;
    this.tokens = GeneratedModel.tokens(weights.config(), batch, pos);
    this.ours = new Ours(Gpt2.of(weights, backend));
  }

  @Override
  public String name() {
    return "forward "
        + tokens.rows()
        + " x "
        + tokens.maxLength()
        + ", "
        + weights.config().nLayers()
        + " blocks of "
        + weights.config().dModel();
  }

  @Override
  public Bound bound() {
    return Bound.FMA;
  }

  @Override
  public double amount() {
    Gpt2Config config = weights.config();
    double perToken =
        GeneratedModel.blockFlop(config, config.nLayers()) + GeneratedModel.unembeddingFlop(config);
    return tokens.tokenCount() * perToken;
  }

  /** Returns the weights. */
  public Gpt2Weights weights() {
    return weights;
  }

  /** Returns the tokens, rows of equal length. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns how many logits at the beginning of [batch, pos, d_vocab] are compared. */
  public int checked() {
    return Math.min(CHECKED_POSITIONS, tokens.maxLength()) * weights.config().dVocab();
  }

  @Override
  public Ours ours() {
    return ours;
  }

  // Later tokens and other rows change nothing, so a short first row is enough.
  @Override
  public float[] expected() {
    int[] first = Arrays.copyOf(tokens.row(0), Math.min(CHECKED_POSITIONS, tokens.maxLength()));
    try (Backend reference = Backends.named("scalar")) {
      return Gpt2.of(weights, reference).forward(TokenBatch.of(first)).logits().toArray();
    }
  }

  // Measured for GPT-2 small: 2e-6 of the largest logit.
  @Override
  public double tolerance() {
    return 2e-5;
  }

  /** By the library's forward pass. */
  public final class Ours implements Engine {
    private final Gpt2 gpt2;
    private Tensor logits;

    private Ours(Gpt2 gpt2) {
      this.gpt2 = gpt2;
    }

    @Override
    public String name() {
      return "resid";
    }

    @Override
    public void run() {
      logits = null; // so that two results need not fit at once
      logits = gpt2.forward(tokens).logits();
    }

    @Override
    public float[] sample() {
      float[] part = new float[checked()];
      logits.slice(Axis.BATCH, 0, 1).storage().read(0, part, 0, part.length);
      return part;
    }
  }
}
