package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A recorded forward pass: its results, and the gradients of any scalar of them. What an
 * intervention returned is a constant: gradients reach the replaced activation and stop there.
 */
public final class Tape implements AutoCloseable {
  private final PackedModel model;
  private final TokenBatch tokens;
  private final Scope scope;
  private final Recording recording;
  private final HookPlan plan;
  private final ActivationCache cache;
  private final Tensor normalized;
  private Optional<Tensor> logits = Optional.empty();
  private boolean closed;

  private Tape(
      PackedModel model,
      TokenBatch tokens,
      Scope scope,
      Recording recording,
      Hooks hooks,
      Tensor normalized) {
    this.model = model;
    this.tokens = tokens;
    this.scope = scope;
    this.recording = recording;
    this.plan = hooks.plan();
    this.cache = hooks.cache();
    this.normalized = normalized;
  }

  static Tape record(PackedModel model, TokenBatch tokens, int[] ids, Hooks hooks) {
    Backend backend = model.backend();
    Scope scope = backend.scope();
    try {
      Recording recording = new Recording(scope, model.config().nLayers());
      Gpt2Forward forward =
          new Gpt2Forward(
              model,
              recording,
              hooks,
              new Gpt2Forward.Extent(tokens.rows(), tokens.maxLength(), 0),
              Optional.empty());
      Tensor x = forward.blocks(forward.embed(ids), 0, model.config().nLayers());
      Tensor normalized = forward.finish(x);
      return new Tape(model, tokens, scope, recording, hooks, normalized);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  /** Returns the tokens of the run. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns what the hooks captured. */
  public ActivationCache cache() {
    return cache;
  }

  /**
   * Returns the logits, [batch, pos, d_vocab].
   *
   * @throws IllegalStateException if this tape was closed before they were first asked for
   */
  public Tensor logits() {
    if (logits.isEmpty()) {
      requireOpen("logits");
      logits = Optional.of(Unembedding.logits(model, normalized));
    }
    return logits.get();
  }

  /**
   * Returns the cross-entropy of every next token, in nats.
   *
   * @throws IllegalStateException if this tape is closed
   */
  public PositionValues crossEntropyNats() {
    requireOpen("cross-entropies");
    return Unembedding.crossEntropy(model, normalized, tokens);
  }

  /**
   * Returns gradients of the sum of the seeds.
   *
   * @param wanted which gradients to return
   * @param seeds terms of the scalar, at least one
   * @throws IllegalArgumentException if a point does not exist or a seed has another shape than its
   *     activation
   * @throws IllegalStateException if this tape is closed
   */
  public Gradients backward(Wanted wanted, Seed... seeds) {
    Map<Weight, Tensor> sums = new HashMap<>();
    if (wanted.weights() == Wanted.Weights.ALL) {
      for (Weight weight : Gpt2Backward.trained(model.config())) {
        sums.put(weight, model.backend().allocate(weight.name().shape(model.config())));
      }
    }
    Map<HookPoint, Tensor> found = backwardInto(sums, wanted.points(), seeds);
    return new Gradients(sums, found);
  }

  /** Returns the mean cross-entropy over all next tokens of the batch, in nats. */
  public double meanCrossEntropyNats() {
    int[] labels = Labels.next(tokens);
    double sum = 0;
    for (double loss : model.backend().crossEntropy(logits(), labels)) {
      sum += loss;
    }
    return sum / Labels.count(labels);
  }

  /**
   * Adds the weight gradients of the sum of the seeds to tensors of the caller's, for gradients
   * accumulated over several batches.
   *
   * @param sums tensors in the shapes of their weights; weights not in the map are left out
   * @param seeds terms of the scalar, at least one
   */
  public void addWeightGradients(Map<Weight, Tensor> sums, Seed... seeds) {
    backwardInto(sums, Set.of(), seeds);
  }

  /** As {@link #backward}, but adds weight gradients to {@code sums}. */
  Map<HookPoint, Tensor> backwardInto(
      Map<Weight, Tensor> sums, Set<HookPoint> points, Seed... seeds) {
    requireOpen("gradients");
    if (seeds.length == 0) {
      throw new IllegalArgumentException("backward() needs at least one seed");
    }
    return new Gpt2Backward(this, sums, points, seeds).run();
  }

  /** Frees what was recorded; what was captured stays. */
  @Override
  public void close() {
    closed = true;
    scope.close();
  }

  private void requireOpen(String what) {
    if (closed) {
      throw new IllegalStateException(
          "this tape is closed and what it recorded is gone; ask for "
              + what
              + " before closing it");
    }
  }

  PackedModel model() {
    return model;
  }

  HookPlan plan() {
    return plan;
  }

  Scope scope() {
    return scope;
  }

  Tensor normalized() {
    return normalized;
  }

  boolean has(Site site, int layer) {
    return recording.kept.containsKey(new HookPoint(site, layer));
  }

  Tensor get(Site site, int layer) {
    Tensor tensor = recording.kept.get(new HookPoint(site, layer));
    if (tensor == null) {
      throw new IllegalStateException(new HookPoint(site, layer) + " was not recorded");
    }
    return tensor;
  }

  /** Keeps the activations the backward pass reads and gives everything else back. */
  private static final class Recording implements PassMemory {
    private static final Set<Site> READ =
        EnumSet.complementOf(
            EnumSet.of(
                Site.EMBED,
                Site.POS_EMBED,
                Site.RESULT,
                Site.ATTN_OUT,
                Site.MLP_OUT,
                Site.RESID_POST));

    private final Scope scope;
    private final HookPoint last;
    private final Map<HookPoint, Tensor> kept = new HashMap<>();
    private final Set<Tensor> identities = Collections.newSetFromMap(new IdentityHashMap<>());

    Recording(Scope scope, int nLayers) {
      this.scope = scope;
      this.last = HookPoint.residPost(nLayers - 1);
    }

    @Override
    public Tensor take(Shape shape) {
      return scope.take(shape);
    }

    @Override
    public void done(Tensor tensor) {
      if (!identities.contains(tensor)) {
        scope.give(tensor);
      }
    }

    @Override
    public void record(Site site, int layer, Tensor value) {
      HookPoint point = new HookPoint(site, layer);
      if (READ.contains(site) || point.equals(last)) {
        kept.put(point, value);
        identities.add(value);
      }
    }

    @Override
    public boolean recording() {
      return true;
    }
  }
}
