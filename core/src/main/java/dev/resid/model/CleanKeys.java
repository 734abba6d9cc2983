package dev.resid.model;

import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The clean keys and values of a run, for continuations that leave its first positions alone. All
 * points of a clean run share them. They are computed when first asked for.
 *
 * <p>A continuation needs them once a changed copy, with room for what it computes itself. These
 * caches are by far its largest arrays, so the last ones are kept for the next continuation: one of
 * as many copies writes the same positions anew before it reads them.
 */
final class CleanKeys {
  private final PackedModel model;
  private final TokenBatch tokens;
  private final int fromLayer;
  private final Tensor entering;
  private Optional<Computed> computed = Optional.empty();
  private Optional<Prefix> free = Optional.empty();

  /** Keys and values by layer from {@code fromLayer} on, [batch, pos, head, d_head]. */
  private record Computed(List<Tensor> keys, List<Tensor> values) {}

  /**
   * Prepares them.
   *
   * @param entering the clean resid_pre of {@code fromLayer}, [batch, pos, d_model]
   */
  CleanKeys(PackedModel model, TokenBatch tokens, int fromLayer, Tensor entering) {
    this.model = model;
    this.tokens = tokens;
    this.fromLayer = fromLayer;
    this.entering = entering;
  }

  /**
   * Caches that hold the clean keys and values of the positions before {@code first} in {@code
   * copies} copies, of the blocks from {@code layer} on.
   */
  record Prefix(KeyValues cached, int layer, int first, int copies) {
    private boolean serves(int otherLayer, int otherFirst, int otherCopies) {
      return layer <= otherLayer && first == otherFirst && copies == otherCopies;
    }
  }

  /** Returns caches for a continuation, which gives them back; no other has them meanwhile. */
  Prefix borrow(int layer, int first, int copies) {
    Computed clean;
    synchronized (this) {
      Optional<Prefix> kept = free;
      free = Optional.empty();
      if (kept.isPresent() && kept.get().serves(layer, first, copies)) {
        return kept.get();
      }
      clean = computed();
    }
    KeyValues cached =
        new KeyValues(
            model.backend(), model.config(), layer, tokens.rows() * copies, tokens.maxLength());
    for (int l = layer; l < model.config().nLayers(); l++) {
      cached.keys(l, 0, before(clean.keys.get(l - fromLayer), first, copies));
      cached.values(l, 0, before(clean.values.get(l - fromLayer), first, copies));
    }
    return new Prefix(cached, layer, first, copies);
  }

  /** Keeps caches for the next continuation. */
  synchronized void giveBack(Prefix prefix) {
    free = Optional.of(prefix);
  }

  private static Tensor before(Tensor all, int first, int copies) {
    return BaseRun.repeat(all.slice(Axis.POS, 0, first), copies);
  }

  private Computed computed() {
    if (computed.isEmpty()) {
      computed = Optional.of(compute());
    }
    return computed.get();
  }

  private Computed compute() {
    Backend backend = model.backend();
    int nLayers = model.config().nLayers();
    List<Capture> captures = new ArrayList<>();
    for (int layer = fromLayer; layer < nLayers; layer++) {
      captures.add(HookPoint.at(Site.K, layer).capture());
      captures.add(HookPoint.at(Site.V, layer).capture());
    }
    int[] ends = new int[tokens.rows()];
    Arrays.setAll(ends, tokens::length);
    Hooks hooks =
        new Hooks(new HookPlan(model.config(), captures.toArray(Capture[]::new)), backend, ends);
    try (var scope = backend.scope()) {
      Tensor x = scope.take(entering.shape());
      backend.copy(entering, x);
      new Gpt2Forward(
              model,
              new PassMemory.Plain(scope),
              hooks,
              new Gpt2Forward.Extent(tokens.rows(), tokens.maxLength(), 0),
              Optional.empty())
          .blocks(x, fromLayer, nLayers);
    }
    List<Tensor> k = new ArrayList<>();
    List<Tensor> v = new ArrayList<>();
    for (int layer = fromLayer; layer < nLayers; layer++) {
      k.add(hooks.cache().get(HookPoint.at(Site.K, layer)));
      v.add(hooks.cache().get(HookPoint.at(Site.V, layer)));
    }
    return new Computed(k, v);
  }
}
