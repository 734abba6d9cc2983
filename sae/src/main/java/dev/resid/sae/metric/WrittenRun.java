package dev.resid.sae.metric;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.Sae;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A clean run, and what follows from other activations where an SAE writes, wherever that is. Where
 * a clean run can be continued, only blocks after the point are computed again; elsewhere, as in
 * the hidden layer of an MLP, the blocks are run whole, one changed copy after another, and only
 * the unembedding is shared.
 */
public final class WrittenRun implements AutoCloseable {
  private final Gpt2 gpt2;
  private final HookPoint point;
  private final BaseRun base;

  /**
   * Runs a model.
   *
   * @param gpt2 the model
   * @param tokens rows of ids, as many as fit into one forward pass
   * @param point that SAEs write
   * @param keep further points whose clean activations are kept, such as those that SAEs read
   */
  public WrittenRun(Gpt2 gpt2, TokenBatch tokens, HookPoint point, HookPoint... keep) {
    this(gpt2, point, of(gpt2, tokens, List.of(point), keep).get(point).base);
  }

  private WrittenRun(Gpt2 gpt2, HookPoint point, BaseRun base) {
    this.gpt2 = gpt2;
    this.point = point;
    this.base = base;
  }

  /**
   * Runs a model once for SAEs that write several points.
   *
   * @param gpt2 the model
   * @param tokens rows of ids, as many as fit into one forward pass
   * @param points that SAEs write
   * @param keep further points whose clean activations every run has
   * @return a run for each point, all of the same clean pass
   */
  public static Map<HookPoint, WrittenRun> of(
      Gpt2 gpt2, TokenBatch tokens, List<HookPoint> points, HookPoint... keep) {
    Set<HookPoint> starts = new LinkedHashSet<>();
    Set<HookPoint> kept = new LinkedHashSet<>(List.of(keep));
    for (HookPoint point : points) {
      starts.add(start(gpt2, point));
      kept.add(point);
    }
    Map<HookPoint, BaseRun> runs =
        gpt2.baseRuns(tokens, List.copyOf(starts), kept.toArray(HookPoint[]::new));
    Map<HookPoint, WrittenRun> written = new LinkedHashMap<>();
    for (HookPoint point : points) {
      written.put(point, new WrittenRun(gpt2, point, runs.get(start(gpt2, point))));
    }
    return written;
  }

  private static HookPoint start(Gpt2 gpt2, HookPoint point) {
    return BaseRun.canStartAt(point.site()) ? point : last(gpt2);
  }

  /** Runs a model with what an SAE reads and writes kept. */
  public static WrittenRun of(Gpt2 gpt2, TokenBatch tokens, Sae sae) {
    return new WrittenRun(gpt2, tokens, sae.config().outputPoint(), sae.config().point());
  }

  private static HookPoint last(Gpt2 gpt2) {
    return HookPoint.residPost(gpt2.config().nLayers() - 1);
  }

  /** Returns the tokens of the run. */
  public TokenBatch tokens() {
    return base.tokens();
  }

  /** Returns the clean activation where the SAE writes. */
  public Tensor activation() {
    return base.cache().get(point);
  }

  /** Returns the clean activations that were kept. */
  public ActivationCache cache() {
    return base.cache();
  }

  /** Returns the cross-entropy of every next token in the clean run, in nats. */
  public PositionValues crossEntropyNats() {
    return base.crossEntropyNats();
  }

  /**
   * Returns what follows from changed activations.
   *
   * @param changed copies of {@link #activation}, each in its shape
   * @return rows of the first copy, then of the second, and so on
   */
  public Continuation continueWith(List<Tensor> changed) {
    if (base.point().equals(point)) {
      return base.continueWith(stacked(changed));
    }
    return base.continueWith(
        stacked(
            changed.stream()
                .map(
                    copy ->
                        gpt2.capture(
                                tokens(), point.replace((was, at) -> copy), base.point().capture())
                            .get(base.point()))
                .toList()));
  }

  private static Tensor stacked(List<Tensor> parts) {
    Shape shape = parts.getFirst().shape();
    int n = Math.toIntExact(shape.elements());
    float[] all = new float[Math.multiplyExact(n, parts.size())];
    for (int i = 0; i < parts.size(); i++) {
      System.arraycopy(parts.get(i).toArray(), 0, all, i * n, n);
    }
    return Tensor.wrap(shape.with(Axis.BATCH, shape.size(Axis.BATCH) * parts.size()), all);
  }

  /** Frees the run's tensors. */
  @Override
  public void close() {
    base.close();
  }
}
