package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A clean run, computed once and continued many times from changed activations at one point. It
 * keeps the activation there, the clean final stream and, once a continuation leaves the first
 * positions alone, the keys and values of the blocks after the point.
 */
public final class BaseRun implements AutoCloseable {
  private static final Set<Site> STARTS =
      EnumSet.of(
          Site.RESID_PRE, Site.Z, Site.ATTN_OUT, Site.RESID_MID, Site.MLP_OUT, Site.RESID_POST);

  private final PackedModel model;
  private final Backend backend;
  private final TokenBatch tokens;
  private final HookPoint point;
  private final Tensor activation;
  private final Tensor stream;
  private final Tensor lastResid;
  private final Tensor normalized;
  private final ActivationCache cache;
  private SharedKeys keys;

  private BaseRun(
      PackedModel model,
      TokenBatch tokens,
      HookPoint point,
      Tensor normalized,
      ActivationCache cache,
      SharedKeys keys) {
    this.model = model;
    this.backend = model.backend();
    this.tokens = tokens;
    this.point = point;
    this.activation = cache.get(point);
    this.stream =
        switch (point.site()) {
          case Z, ATTN_OUT -> cache.get(HookPoint.residPre(point.layer()));
          case MLP_OUT -> cache.get(HookPoint.residMid(point.layer()));
          default -> cache.get(point);
        };
    this.lastResid = cache.get(HookPoint.residPost(model.config().nLayers() - 1));
    this.normalized = normalized;
    this.cache = cache;
    this.keys = keys;
  }

  /**
   * Returns a clean run to continue from each of some points, in their order.
   *
   * @param normalized the final layer norm's output, [batch, pos, d_model]
   * @param cache has what {@link #needed} names
   */
  static Map<HookPoint, BaseRun> of(
      PackedModel model,
      TokenBatch tokens,
      List<HookPoint> points,
      Tensor normalized,
      ActivationCache cache) {
    SharedKeys keys = new SharedKeys(points.stream().mapToInt(HookPoint::layer).min().orElse(0));
    Map<HookPoint, BaseRun> runs = new LinkedHashMap<>();
    for (HookPoint point : points) {
      runs.put(point, new BaseRun(model, tokens, point, normalized, cache, keys));
    }
    return runs;
  }

  /**
   * Returns the points that base runs at {@code points} have to capture.
   *
   * @throws IllegalArgumentException if continuations cannot start at one of them
   */
  static Set<HookPoint> needed(Gpt2Config config, List<HookPoint> points, HookPoint... keep) {
    Set<HookPoint> needed = new TreeSet<>(List.of(keep));
    for (HookPoint point : points) {
      HookPlan.requireLayer(config, point);
      if (!STARTS.contains(point.site())) {
        throw new IllegalArgumentException(
            "a run cannot be continued from "
                + point
                + ", only from "
                + STARTS.stream().map(Site::suffix).collect(Collectors.joining(", "))
                + " of a block; in code, forward() with replace() changes any activation");
      }
      needed.add(point);
      needed.add(HookPoint.residPre(point.layer()));
      if (point.site() == Site.MLP_OUT) {
        needed.add(HookPoint.residMid(point.layer()));
      }
    }
    needed.add(HookPoint.residPost(config.nLayers() - 1));
    return needed;
  }

  /**
   * Returns whether runs can be continued from a site; other activations are changed by a hook of a
   * whole forward pass.
   *
   * @param site of a block
   */
  public static boolean canStartAt(Site site) {
    return STARTS.contains(site);
  }

  /** Clean keys and values, [batch, pos, head, d_head] by layer. */
  private record CleanKeys(List<Tensor> keys, List<Tensor> values) {}

  /** The clean keys and values of one clean run, which all its points share. */
  private static final class SharedKeys {
    private final int fromLayer;
    private Optional<CleanKeys> computed = Optional.empty();

    private SharedKeys(int fromLayer) {
      this.fromLayer = fromLayer;
    }
  }

  /** Returns the tokens of the run. */
  public TokenBatch tokens() {
    return tokens;
  }

  /** Returns where continuations start. */
  public HookPoint point() {
    return point;
  }

  /** Returns the clean activation at the point, [batch, pos, d_model] at a site of the stream. */
  public Tensor activation() {
    return activation;
  }

  /** Returns the clean activations: the point, the last resid_post, and what was captured. */
  public ActivationCache cache() {
    return cache;
  }

  /** Returns the clean logits, computed at each call: [batch, pos, d_vocab]. */
  public Tensor logits() {
    return Unembedding.logits(model, normalized);
  }

  /** Returns the cross-entropy of every next token in the clean run, in nats. */
  public PositionValues crossEntropyNats() {
    return Unembedding.crossEntropy(model, normalized, tokens, 1, 0);
  }

  /**
   * Returns what follows from changed activations. Only blocks after the point are computed, and
   * only positions from the first one at which any copy differs from the clean run.
   *
   * @param changed [n·batch, pos, ...]: n changed copies of {@link #activation()} stacked along the
   *     batch axis, for example one for every perturbation length
   * @param keep points after this one whose activations the continuation keeps, for {@link
   *     Continuation#l2At}; the last resid_post is always kept
   * @throws ShapeMismatchException if the shape is not that of the activation, n times
   * @throws IllegalArgumentException if a point to keep lies before this one
   */
  public Continuation continueWith(Tensor changed, HookPoint... keep) {
    int batch = tokens.rows();
    int rows = changed.shape().has(Axis.BATCH) ? changed.shape().size(Axis.BATCH) : -1;
    if (rows < batch
        || rows % batch != 0
        || !changed.shape().with(Axis.BATCH, batch).equals(activation.shape())) {
      throw new ShapeMismatchException(
          "the activation to continue with at "
              + point
              + " is "
              + changed.shape()
              + ", expected "
              + activation.shape()
              + " or a multiple of its batch");
    }
    int copies = rows / batch;
    float[] values = changed.toArray();
    int first = firstChange(values, copies);
    int pos = tokens.maxLength();
    requireAfter(keep);
    HookPlan plan = new HookPlan(model.config(), captures(keep));
    Hooks hooks = new Hooks(plan, backend, rowEnds(copies));
    int computed = pos - first;
    if (computed == 0) {
      first = pos - 1;
      computed = 1;
    }
    Optional<KeyValues> cached = first == 0 ? Optional.empty() : Optional.of(prefix(first, copies));
    try (var scope = backend.scope()) {
      Gpt2Forward forward =
          new Gpt2Forward(
              model,
              new PassMemory.Plain(scope),
              hooks,
              new Gpt2Forward.Extent(rows, computed, first),
              cached);
      Tensor entering = onBackend(Tensor.wrap(changed.shape(), values), first, computed);
      Tensor beside = onBackend(repeat(stream, copies), first, computed);
      Tensor x = forward.enter(point, entering, beside);
      x = forward.blocks(x, point.layer() + 1, model.config().nLayers());
      Tensor last = backend.allocate(x.shape());
      backend.copy(x, last);
      Tensor norm = forward.finish(x);
      Tensor kept = backend.allocate(norm.shape());
      backend.copy(norm, kept);
      return new Continuation(model, this, copies, first, last, kept, hooks.cache());
    }
  }

  /** Frees the run's tensors. On a CPU backend they are collected when no longer referenced. */
  @Override
  public void close() {
    keys = new SharedKeys(point.layer());
  }

  Tensor lastResid() {
    return lastResid;
  }

  Tensor normalized() {
    return normalized;
  }

  private int[] rowEnds(int copies) {
    int[] ends = new int[tokens.rows() * copies];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = tokens.length(i % tokens.rows());
    }
    return ends;
  }

  private static Capture[] captures(HookPoint... keep) {
    return java.util.Arrays.stream(keep).distinct().map(HookPoint::capture).toArray(Capture[]::new);
  }

  private void requireAfter(HookPoint[] keep) {
    for (HookPoint wanted : keep) {
      if (wanted.isBefore(point)) {
        throw new IllegalArgumentException(
            wanted
                + " lies before "
                + point
                + ", which a continuation does not compute; capture it in the base run");
      }
    }
  }

  /** Returns the first position at which a copy differs from the clean run in any bit. */
  private int firstChange(float[] values, int copies) {
    float[] clean = activation.toArray();
    int pos = tokens.maxLength();
    int width = clean.length / (tokens.rows() * pos);
    int first = pos;
    for (int row = 0; row < tokens.rows() * copies; row++) {
      int from = row * pos * width;
      int cleanFrom = row % tokens.rows() * pos * width;
      int mismatch =
          java.util.Arrays.mismatch(
              values, from, from + first * width, clean, cleanFrom, cleanFrom + first * width);
      if (mismatch >= 0) {
        first = mismatch / width;
      }
    }
    return first;
  }

  private Tensor onBackend(Tensor whole, int first, int count) {
    Tensor part = first == 0 ? whole : whole.slice(Axis.POS, first, first + count);
    Tensor held = backend.allocate(part.shape());
    backend.copy(part, held);
    return held;
  }

  private static Tensor repeat(Tensor tensor, int copies) {
    if (copies == 1) {
      return tensor;
    }
    float[] one = tensor.toArray();
    float[] all = new float[Math.multiplyExact(one.length, copies)];
    for (int c = 0; c < copies; c++) {
      System.arraycopy(one, 0, all, c * one.length, one.length);
    }
    int batch = tensor.shape().size(Axis.BATCH);
    return Tensor.wrap(tensor.shape().with(Axis.BATCH, batch * copies), all);
  }

  /** Returns caches that hold the clean keys and values of the positions before {@code first}. */
  private KeyValues prefix(int first, int copies) {
    CleanKeys clean = cleanKeys();
    int pos = tokens.maxLength();
    KeyValues cached = new KeyValues(backend, model.config(), tokens.rows() * copies, pos);
    for (int layer = point.layer(); layer < model.config().nLayers(); layer++) {
      cached.keys(layer, 0, repeat(clean.keys.get(layer).slice(Axis.POS, 0, first), copies));
      cached.values(layer, 0, repeat(clean.values.get(layer).slice(Axis.POS, 0, first), copies));
    }
    return cached;
  }

  private CleanKeys cleanKeys() {
    if (keys.computed.isEmpty()) {
      int from = keys.fromLayer;
      int nLayers = model.config().nLayers();
      List<Capture> captures = new ArrayList<>();
      for (int layer = from; layer < nLayers; layer++) {
        captures.add(HookPoint.at(Site.K, layer).capture());
        captures.add(HookPoint.at(Site.V, layer).capture());
      }
      Hooks hooks =
          new Hooks(
              new HookPlan(model.config(), captures.toArray(Capture[]::new)), backend, rowEnds(1));
      try (var scope = backend.scope()) {
        Gpt2Forward forward =
            new Gpt2Forward(
                model,
                new PassMemory.Plain(scope),
                hooks,
                new Gpt2Forward.Extent(tokens.rows(), tokens.maxLength(), 0),
                Optional.empty());
        forward.blocks(
            onBackend(cache.get(HookPoint.residPre(from)), 0, tokens.maxLength()), from, nLayers);
      }
      List<Tensor> k = new ArrayList<>();
      List<Tensor> v = new ArrayList<>();
      for (int layer = 0; layer < nLayers; layer++) {
        boolean kept = layer >= from;
        k.add(kept ? hooks.cache().get(HookPoint.at(Site.K, layer)) : Tensor.zeros(none()));
        v.add(kept ? hooks.cache().get(HookPoint.at(Site.V, layer)) : Tensor.zeros(none()));
      }
      keys.computed = Optional.of(new CleanKeys(k, v));
    }
    return keys.computed.get();
  }

  private static dev.resid.tensor.Shape none() {
    return dev.resid.tensor.Shape.of(Axis.BATCH, 0);
  }
}
