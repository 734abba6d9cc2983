package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.At;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Intervention;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.HostStorage;
import dev.resid.tensor.Scope;
import dev.resid.tensor.ShapeMismatchException;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
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

  /** Sites that are added to the stream, which a pass then needs beside them. */
  private static final Set<Site> BESIDE = EnumSet.of(Site.Z, Site.ATTN_OUT, Site.MLP_OUT);

  private final PackedModel model;
  private final Backend backend;
  private final TokenBatch tokens;
  private final HookPoint point;
  private final Tensor activation;
  private final Tensor stream;
  private final Tensor lastResid;
  private final Tensor normalized;
  private final ActivationCache cache;
  private CleanKeys keys;
  private Optional<PositionValues> crossEntropy = Optional.empty();

  private BaseRun(
      PackedModel model,
      TokenBatch tokens,
      HookPoint point,
      Tensor normalized,
      ActivationCache cache,
      CleanKeys keys) {
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
    int from = points.stream().mapToInt(HookPoint::layer).min().orElse(0);
    CleanKeys keys = new CleanKeys(model, tokens, from, cache.get(HookPoint.residPre(from)));
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

  /** Returns the cross-entropy of every next token in the clean run, in nats: computed once. */
  public PositionValues crossEntropyNats() {
    Optional<PositionValues> known = crossEntropy;
    if (known.isEmpty()) {
      known = Optional.of(Unembedding.crossEntropy(model, normalized, tokens));
      crossEntropy = known;
    }
    return known.get();
  }

  /**
   * Returns what follows if an intervention acts on the clean activation, as {@code
   * point().replace(change)} does in a whole forward pass.
   *
   * @param change called once, with all rows and positions
   * @param keep as for {@link #continueWith(Tensor, HookPoint...)}
   * @throws ShapeMismatchException if it returns another shape
   * @throws IllegalArgumentException if a point to keep lies before this one
   */
  public Continuation continueWith(Intervention change, HookPoint... keep) {
    return continueWith(change.apply(activation, new At(point, 0)), keep);
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
    Tensor host =
        changed.storage() instanceof HostStorage
            ? changed
            : Tensor.wrap(changed.shape(), changed.toArray());
    int first = firstChange((HostStorage) host.storage(), copies);
    int pos = tokens.maxLength();
    requireAfter(keep);
    HookPlan plan = new HookPlan(model.config(), captures(keep));
    Hooks hooks = new Hooks(plan, backend, rowEnds(copies));
    int computed = pos - first;
    if (computed == 0) {
      first = pos - 1;
      computed = 1;
    }
    Gpt2Forward.Extent extent = new Gpt2Forward.Extent(rows, computed, first);
    if (first == 0) {
      return continued(host, copies, extent, hooks, Optional.empty());
    }
    CleanKeys.Prefix prefix = keys.borrow(point.layer(), first, copies);
    try {
      return continued(host, copies, extent, hooks, Optional.of(prefix.cached()));
    } finally {
      keys.giveBack(prefix);
    }
  }

  private Continuation continued(
      Tensor changed,
      int copies,
      Gpt2Forward.Extent extent,
      Hooks hooks,
      Optional<KeyValues> cached) {
    try (var scope = backend.scope()) {
      Gpt2Forward forward =
          new Gpt2Forward(model, new PassMemory.Plain(scope), hooks, extent, cached);
      Tensor entering = taken(scope, changed, extent);
      Tensor beside =
          BESIDE.contains(point.site()) ? taken(scope, repeat(stream, copies), extent) : entering;
      Tensor x = forward.enter(point, entering, beside);
      x = forward.blocks(x, point.layer() + 1, model.config().nLayers());
      Tensor last = backend.allocate(x.shape());
      backend.copy(x, last);
      Tensor norm = forward.finish(x);
      Tensor kept = backend.allocate(norm.shape());
      backend.copy(norm, kept);
      return new Continuation(model, this, copies, extent.first(), last, kept, hooks.cache());
    }
  }

  /** Frees the run's tensors. On a CPU backend they are collected when no longer referenced. */
  @Override
  public void close() {
    int layer = point.layer();
    keys = new CleanKeys(model, tokens, layer, cache.get(HookPoint.residPre(layer)));
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
  private int firstChange(HostStorage changed, int copies) {
    float[] values = changed.array();
    float[] clean =
        activation.storage() instanceof HostStorage host ? host.array() : activation.toArray();
    int pos = tokens.maxLength();
    int width = Math.toIntExact(activation.elements() / ((long) tokens.rows() * pos));
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

  /** Returns the positions of a pass on the backend, in memory of the scope. */
  private Tensor taken(Scope scope, Tensor whole, Gpt2Forward.Extent extent) {
    int first = extent.first();
    Tensor part = first == 0 ? whole : whole.slice(Axis.POS, first, first + extent.pos());
    Tensor held = scope.take(part.shape());
    backend.copy(part, held);
    return held;
  }

  static Tensor repeat(Tensor tensor, int copies) {
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
}
