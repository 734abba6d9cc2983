package dev.resid.analysis;

import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.Gpt2Config;
import dev.resid.model.Gpt2Weights;
import dev.resid.model.Weight;
import dev.resid.model.WeightNames;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model would predict if it ended earlier: the residual stream of a layer through the final
 * layer norm and the unembedding. A lens at a point is the run continued from the last {@code
 * resid_post} with the earlier stream in its place, so the forward pass of every experiment is also
 * this one's.
 *
 * @source nostalgebraist 2020, "interpreting GPT: the logit lens"
 */
public final class LogitLens implements AutoCloseable {
  private static final HookPoint SCALE = HookPoint.at(Site.LN_FINAL_SCALE);

  private final Gpt2 gpt2;
  private final BaseRun base;
  private final List<HookPoint> points;

  private LogitLens(Gpt2 gpt2, BaseRun base, List<HookPoint> points) {
    this.gpt2 = gpt2;
    this.base = base;
    this.points = points;
  }

  /**
   * Returns the lens of a run, at {@code resid_pre} and {@code resid_mid} of every block and the
   * last {@code resid_post}.
   *
   * @param gpt2 the model
   * @param tokens rows of ids
   * @throws IllegalArgumentException as {@link Gpt2#forward}
   */
  public static LogitLens of(Gpt2 gpt2, TokenBatch tokens) {
    Gpt2Config config = gpt2.config();
    List<HookPoint> points = new ArrayList<>();
    for (int layer = 0; layer < config.nLayers(); layer++) {
      points.add(HookPoint.residPre(layer));
      points.add(HookPoint.residMid(layer));
    }
    HookPoint last = HookPoint.residPost(config.nLayers() - 1);
    List<HookPoint> keep = new ArrayList<>(points);
    keep.add(SCALE);
    keep.add(LogitReadout.POINT);
    BaseRun base = gpt2.baseRun(tokens, last, keep.toArray(HookPoint[]::new));
    points.add(last);
    return new LogitLens(gpt2, base, List.copyOf(points));
  }

  /** Returns the points, in the order of the forward pass. */
  public List<HookPoint> points() {
    return points;
  }

  /** Returns the run that is looked at. */
  public BaseRun run() {
    return base;
  }

  /**
   * Returns the prediction of a point's stream, normalised by its own scale: logits, KL from the
   * model's own prediction and cross-entropies.
   *
   * @param point one of {@link #points}
   * @throws dev.resid.hook.NoSuchActivationException if it is none of them
   */
  public Continuation at(HookPoint point) {
    return base.continueWith(base.cache().get(point), LogitReadout.POINT);
  }

  /**
   * Returns a readout of a point's stream, normalised by its own scale, at every position.
   *
   * @param point one of {@link #points}
   * @param readout with as many rows as the run
   * @return [row][pos]
   * @throws IllegalArgumentException if the number of rows differs
   */
  public double[][] readout(HookPoint point, LogitReadout readout) {
    TokenBatch tokens = base.tokens();
    readout.requireRows(tokens);
    Continuation continuation = at(point);
    int first = continuation.firstPosition();
    Tensor clean = base.cache().get(LogitReadout.POINT);
    Tensor lens = continuation.cache().get(LogitReadout.POINT);
    double[][] values = new double[tokens.rows()][];
    for (int row = 0; row < values.length; row++) {
      values[row] = new double[tokens.length(row)];
      for (int pos = 0; pos < values[row].length; pos++) {
        values[row][pos] =
            pos < first ? readout.at(clean, row, pos) : readout.at(lens, row, pos - first);
      }
    }
    return values;
  }

  /**
   * Returns the logits of a point's stream, normalised by the scale that the final layer norm had
   * in the run, [batch, pos, d_vocab]. Unlike those of {@link #at} they grow from layer to layer by
   * what the layers add.
   *
   * @param point one of {@link #points}
   * @throws dev.resid.hook.NoSuchActivationException if it is none of them
   */
  public Tensor logitsWithFinalScale(HookPoint point) {
    Tensor stream = base.cache().get(point);
    Gpt2Weights weights = gpt2.weights();
    Tensor normalized = gpt2.backend().allocate(stream.shape());
    gpt2.backend()
        .layerNormApply(
            stream,
            base.cache().get(SCALE),
            weights.get(Weight.of(WeightNames.lnFinal_gamma)),
            weights.get(Weight.of(WeightNames.lnFinal_beta)),
            normalized);
    return gpt2.unembed(normalized);
  }

  /** Frees the run. */
  @Override
  public void close() {
    base.close();
  }
}
