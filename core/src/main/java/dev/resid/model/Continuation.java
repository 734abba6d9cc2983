package dev.resid.model;

import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.hook.NoSuchActivationException;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Shape;
import dev.resid.tensor.Tensor;

/**
 * What follows from changed activations, compared with the clean run. Rows are the copies in the
 * order given, each with the rows of the base run.
 */
public final class Continuation {
  private final PackedModel model;
  private final Backend backend;
  private final BaseRun base;
  private final int copies;
  private final int first;
  private final Tensor lastResid;
  private final Tensor normalized;
  private final ActivationCache cache;

  Continuation(
      PackedModel model,
      BaseRun base,
      int copies,
      int first,
      Tensor lastResid,
      Tensor normalized,
      ActivationCache cache) {
    this.model = model;
    this.backend = model.backend();
    this.base = base;
    this.copies = copies;
    this.first = first;
    this.lastResid = lastResid;
    this.normalized = normalized;
    this.cache = cache;
  }

  /** Returns how many changed copies were continued. */
  public int copies() {
    return copies;
  }

  /** Returns the first position that was recomputed; everything before it is the clean run's. */
  public int firstPosition() {
    return first;
  }

  /**
   * Returns KL(original‖changed) of the next-token distribution at every position, in nats. It is
   * exactly 0 before the first change.
   *
   * @source Lee and Heimersheim 2024, section 2; direction as in the experiment document, 1.6
   */
  public PositionValues klNats() {
    Tensor clean = part(base.normalized());
    double[] values = backend.unembedKl(clean, normalized, model.unembedding(), model.b_U());
    return PositionValues.of(spread(values), base.tokens(), copies);
  }

  /**
   * Returns ‖changed − original‖₂ at every position.
   *
   * @param point the last resid_post, or a point named to {@code continueWith} and kept by the base
   *     run; its activation must have one vector a position
   * @throws dev.resid.hook.NoSuchActivationException if one of the runs did not keep the point
   * @throws IllegalArgumentException if the activation is indexed by more than one position
   */
  public PositionValues l2At(HookPoint point) {
    if (point.site().axes().contains(Axis.KEY_POS)) {
      throw new IllegalArgumentException(
          point
              + " has a row of keys a head and position, not one vector a position, so there is no"
              + " L2 of a position; compare the activations in cache()");
    }
    boolean last = point.equals(HookPoint.residPost(model.config().nLayers() - 1));
    if (!last && !(cache.points().contains(point) && base.cache().points().contains(point))) {
      throw new NoSuchActivationException(
          point
              + " was not kept by "
              + (cache.points().contains(point) ? "the base run" : "this continuation")
              + "; name it to baseRun() and to continueWith()");
    }
    Tensor changed = last ? lastResid : cache.get(point);
    Tensor clean = part(base.cache().get(point));
    double[] values = new double[rows() * computed()];
    int perCopy = base.tokens().rows() * computed();
    int width = Math.toIntExact(changed.elements() / ((long) rows() * computed()));
    Shape shape = Shape.of(Axis.ROW, perCopy, Axis.D_MODEL, width);
    Tensor reference = clean.reshape(shape);
    Shape stack = Shape.of(Axis.LENGTH, copies, Axis.ROW, perCopy, Axis.D_MODEL, width);
    // The copies stay where they are; on a GPU only the distances cross to the host.
    try (Scope scope = backend.scope()) {
      Tensor one = scope.take(stack.with(Axis.LENGTH, 1));
      for (int c = 0; c < copies; c++) {
        backend.extract(changed.reshape(stack), Axis.LENGTH, c, one);
        double[] part = backend.l2Distance(one.reshape(shape), reference);
        System.arraycopy(part, 0, values, c * perCopy, perCopy);
      }
    }
    return PositionValues.of(spread(values), base.tokens(), copies);
  }

  /** Returns the mean over all positions of {@link #klNats}. */
  public double meanKlNats() {
    return klNats().mean();
  }

  /** Returns the mean over all positions of {@link #l2At}. */
  public double meanL2At(HookPoint point) {
    return l2At(point).mean();
  }

  /**
   * Both read-outs of the predictions.
   *
   * @param klNats as {@link #klNats()}
   * @param crossEntropyNats as {@link #crossEntropyNats()}
   */
  public record KlAndCrossEntropy(PositionValues klNats, PositionValues crossEntropyNats) {}

  /**
   * Returns KL(original‖changed) and the cross-entropy of every next token after the change, both
   * in nats: the same numbers as {@link #klNats} and {@link #crossEntropyNats} in little more time
   * than one of them.
   */
  public KlAndCrossEntropy klAndCrossEntropyNats() {
    int[] labels = Unembedding.labels(base.tokens(), copies, first, computed());
    double[] part = new double[labels.length];
    double[] kl =
        backend.unembedKlAndCrossEntropy(
            part(base.normalized()), normalized, model.unembedding(), model.b_U(), labels, part);
    return new KlAndCrossEntropy(
        PositionValues.of(spread(kl), base.tokens(), copies),
        Unembedding.labelled(afterClean(part), base.tokens(), copies));
  }

  /** Returns the cross-entropy of every next token after the change, in nats. */
  public PositionValues crossEntropyNats() {
    int[] labels = Unembedding.labels(base.tokens(), copies, first, computed());
    double[] part =
        backend.unembedCrossEntropy(normalized, model.unembedding(), model.b_U(), labels);
    return Unembedding.labelled(afterClean(part), base.tokens(), copies);
  }

  /** Returns cross-entropies of all positions: the clean run's before the first change. */
  private double[] afterClean(double[] part) {
    int pos = base.tokens().maxLength();
    // What lies before the first change is the clean run's; where nothing does, it is not computed.
    double[] values = first == 0 ? new double[rows() * pos] : repeated(base.crossEntropyNats());
    for (int r = 0; r < rows(); r++) {
      System.arraycopy(part, r * computed(), values, r * pos + first, computed());
    }
    return values;
  }

  /**
   * Returns the logits of the positions that were recomputed alone, from {@link #firstPosition} on:
   * [n·batch, pos, d_vocab].
   */
  public Tensor changedLogits() {
    return Unembedding.logits(model, normalized);
  }

  /**
   * Returns the logits of every position, those before the first change from the clean run:
   * [n·batch, pos, d_vocab].
   */
  public Tensor logits() {
    Tensor changed = Unembedding.logits(model, normalized);
    if (first == 0) {
      return changed;
    }
    int pos = base.tokens().maxLength();
    Tensor all = backend.allocate(changed.shape().with(Axis.POS, pos));
    backend.insert(changed, Axis.POS, first, all);
    Tensor before = base.logits().slice(Axis.POS, 0, first);
    int batch = base.tokens().rows();
    Tensor prefix = backend.allocate(before.shape().with(Axis.BATCH, rows()));
    for (int c = 0; c < copies; c++) {
      backend.insert(before, Axis.BATCH, c * batch, prefix);
    }
    backend.insert(prefix, Axis.POS, 0, all);
    return all;
  }

  /**
   * Returns the activations kept at points named to {@code continueWith}; axis {@code pos} starts
   * at {@link #firstPosition()}.
   */
  public ActivationCache cache() {
    return cache;
  }

  private double[] repeated(PositionValues clean) {
    int pos = base.tokens().maxLength();
    double[] values = new double[rows() * pos];
    for (int r = 0; r < rows(); r++) {
      double[] row = clean.row(r % base.tokens().rows());
      System.arraycopy(row, 0, values, r * pos, row.length);
    }
    return values;
  }

  private int rows() {
    return base.tokens().rows() * copies;
  }

  private int computed() {
    return base.tokens().maxLength() - first;
  }

  private Tensor part(Tensor whole) {
    return first == 0 ? whole : whole.slice(Axis.POS, first, first + computed());
  }

  private double[] spread(double[] part) {
    if (first == 0) {
      return part;
    }
    int pos = base.tokens().maxLength();
    double[] all = new double[rows() * pos];
    for (int r = 0; r < rows(); r++) {
      System.arraycopy(part, r * computed(), all, r * pos + first, computed());
    }
    return all;
  }
}
