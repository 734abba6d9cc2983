package dev.resid.experiments.plateau;

import dev.resid.experiments.plateau.CurveColumns.Metric;
import dev.resid.experiments.plateau.PlateauOptions.RealBase;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.hook.HookPoint;
import dev.resid.metric.JensenShannon;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Walks all ways of some prompts: the clean run once, then for each way one continuation with all
 * its points as copies, which recomputes the last position only.
 */
final class PlateauSweep implements BlockWork {
  private final Gpt2 gpt2;
  private final PlateauOptions options;
  private final int[] order;
  private final Generator generator;
  private final CurveColumns columns;
  private final double step;
  private final int batch;

  /**
   * Prepares the walk.
   *
   * @param gpt2 the model
   * @param options what is measured
   * @param order prompts by number in the run, rows of the tokens
   * @param generator makes the ends
   * @param columns order of the numbers
   * @param step length of an absolute step
   * @param batch prompts at a time
   */
  PlateauSweep(
      Gpt2 gpt2,
      PlateauOptions options,
      int[] order,
      Generator generator,
      CurveColumns columns,
      double step,
      int batch) {
    this.gpt2 = gpt2;
    this.options = options;
    this.order = order.clone();
    this.generator = generator;
    this.columns = columns;
    this.step = step;
    this.batch = batch;
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][columns.count()];
    int done = 0;
    for (int from = rows.from(); from < rows.to(); from += batch) {
      int to = Math.min(rows.to(), from + batch);
      int[] prompts = Arrays.copyOfRange(order, from, to);
      double[][] part = Arrays.copyOfRange(values, from - rows.from(), to - rows.from());
      try (BaseRun base = baseRun(prompts)) {
        float[][] own = lastPositions(base.activation());
        for (Curve curve : columns.curves()) {
          walk(base, curve, prompts, own, part);
          done += prompts.length;
          progress.accept(done);
        }
      }
    }
    return values;
  }

  private BaseRun baseRun(int[] prompts) {
    int[][] ids = new int[prompts.length][];
    Arrays.setAll(ids, i -> options.tokens().row(prompts[i]));
    return gpt2.baseRun(TokenBatch.of(ids), HookPoint.residPre(options.layer()));
  }

  private static float[][] lastPositions(Tensor activation) {
    int pos = activation.shape().size(Axis.POS);
    int d = activation.shape().last();
    float[] all = activation.toArray();
    float[][] last = new float[activation.shape().size(Axis.BATCH)][];
    Arrays.setAll(last, r -> Arrays.copyOfRange(all, ((r + 1) * pos - 1) * d, (r + 1) * pos * d));
    return last;
  }

  /** Measures one way of every prompt of a batch. */
  private void walk(BaseRun base, Curve curve, int[] prompts, float[][] own, double[][] values) {
    float[][] starts = new float[prompts.length][];
    float[][] ends = new float[prompts.length][];
    for (int i = 0; i < prompts.length; i++) {
      starts[i] = start(curve, prompts[i], own[i]);
      ends[i] =
          switch (curve.role()) {
            case TARGET -> generator.draw(curve.kind(), prompts[i], own[i]);
            case BASE -> generator.randomEnd(prompts[i]);
          };
      values[i][columns.distance(curve)] = Regime.distance(starts[i], ends[i]);
    }
    HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
    Continuation continuation =
        base.continueWith(points(base.activation(), curve.regime(), starts, ends), last);
    addL2(continuation.cache().get(last), curve, values);
    if (curve.hasPrediction()) {
      addKl(continuation.klNats(), curve, values);
    }
    if (columns.metrics(curve).contains(Metric.JS)) {
      addJs(continuation, curve, values);
    }
    requireFinite(curve, prompts, values);
  }

  private float[] start(Curve curve, int prompt, float[] own) {
    boolean generated =
        curve.role() == Curve.Role.BASE
            && !(curve.kind() == TargetKind.MODEL_GENERATED && options.realBase() == RealBase.OWN);
    return generated ? generator.draw(curve.kind(), prompt, own) : own;
  }

  /** Returns the clean activations once a point, with the last position moved there. */
  private Tensor points(Tensor clean, Regime regime, float[][] starts, float[][] ends) {
    int batchSize = starts.length;
    int pos = clean.shape().size(Axis.POS);
    int d = clean.shape().last();
    float[] one = clean.toArray();
    float[] all = new float[Math.multiplyExact(one.length, Regime.POINTS)];
    for (int n = 0; n < Regime.POINTS; n++) {
      System.arraycopy(one, 0, all, n * one.length, one.length);
      for (int i = 0; i < batchSize; i++) {
        int offset = n * one.length + ((i + 1) * pos - 1) * d;
        regime.point(starts[i], ends[i], n, step, all, offset);
      }
    }
    return Tensor.wrap(clean.shape().with(Axis.BATCH, batchSize * Regime.POINTS), all);
  }

  /** Adds distances to the first point of each prompt; {@code resid} is [n·batch, pos, d_model]. */
  private void addL2(Tensor resid, Curve curve, double[][] values) {
    float[][] last = lastPositions(resid);
    for (int n = 0; n < Regime.POINTS; n++) {
      for (int i = 0; i < values.length; i++) {
        values[i][columns.point(curve, Metric.L2, n)] =
            Regime.distance(last[i], last[n * values.length + i]);
      }
    }
  }

  private void addKl(PositionValues kl, Curve curve, double[][] values) {
    int pos = options.tokens().maxLength() - 1;
    for (int n = 0; n < Regime.POINTS; n++) {
      for (int i = 0; i < values.length; i++) {
        values[i][columns.point(curve, Metric.KL, n)] = kl.get(n * values.length + i, pos);
      }
    }
  }

  /** Adds distances of predictions to that at the first point, which is the prompt's own. */
  private void addJs(Continuation continuation, Curve curve, double[][] values) {
    Tensor logits = continuation.changedLogits();
    int pos = options.tokens().maxLength() - 1 - continuation.firstPosition();
    for (int i = 0; i < values.length; i++) {
      float[] own = logits.at(Axis.BATCH, i).at(Axis.POS, pos).toArray();
      for (int n = 0; n < Regime.POINTS; n++) {
        float[] moved = logits.at(Axis.BATCH, n * values.length + i).at(Axis.POS, pos).toArray();
        values[i][columns.point(curve, Metric.JS, n)] = JensenShannon.distance(own, moved);
      }
    }
  }

  private void requireFinite(Curve curve, int[] prompts, double[][] values) {
    for (int i = 0; i < prompts.length; i++) {
      for (double value : values[i]) {
        if (!Double.isFinite(value)) {
          throw new IllegalStateException(
              "what follows from moving prompt "
                  + prompts[i]
                  + " along the "
                  + curve.regime().word()
                  + " way of kind "
                  + curve.kind().word()
                  + " is not finite; the steps are too long for float32 or the weights are"
                  + " damaged");
        }
      }
    }
  }
}
