package dev.resid.experiments.sensitivity;

import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.Direction;
import dev.resid.experiments.sensitivity.RowColumns.Metric;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Scope;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Perturbs every position of some rows at once and measures what follows: the clean run once, one
 * direction a row and position for all lengths, several lengths in one continuation.
 */
final class SensitivitySweep implements BlockWork {
  private final Gpt2 gpt2;
  private final SensitivityOptions options;
  private final List<Direction> directions;
  private final double[] lengths;
  private final RowColumns columns;
  private final BatchSizes batches;
  private final Workers workers;

  SensitivitySweep(
      Gpt2 gpt2,
      SensitivityOptions options,
      List<Direction> directions,
      double[] lengths,
      BatchSizes batches,
      Workers workers) {
    this.gpt2 = gpt2;
    this.options = options;
    this.directions = directions;
    this.lengths = lengths;
    this.columns = new RowColumns(directions.size(), lengths.length);
    this.batches = batches;
    this.workers = workers;
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][columns.count()];
    int done = 0;
    for (int from = rows.from(); from < rows.to(); from += batches.rows()) {
      int to = Math.min(rows.to(), from + batches.rows());
      TokenBatch part = options.tokens().slice(from, to);
      try (BaseRun base = gpt2.baseRun(part, HookPoint.residPre(options.layer()))) {
        BasePoints points = BasePoints.of(base.activation(), from, part.lengths());
        for (int d = 0; d < directions.size(); d++) {
          Tensor drawn = directions.get(d).draw(options.seed(), points, workers);
          count(drawn, d, from, rows.from(), values);
          try (Scope scope = gpt2.backend().scope()) {
            // Once for all lengths to where the backend computes.
            Tensor unit = scope.take(drawn.shape());
            gpt2.backend().copy(options.moved().of(drawn), unit);
            for (int l = 0; l < lengths.length; l += batches.lengths()) {
              int end = Math.min(lengths.length, l + batches.lengths());
              measure(base, unit, d, new RowRange(l, end), from, rows.from(), values);
              done += (end - l) * (to - from);
              progress.accept(done);
            }
          }
        }
      }
    }
    return values;
  }

  /** Counts the positions of the rows that have the direction; in others it is 0 everywhere. */
  private void count(Tensor unit, int direction, int batchFrom, int blockFrom, double[][] values) {
    float[] vectors = unit.toArray();
    int stride = vectors.length / unit.shape().size(Axis.BATCH);
    int d = unit.shape().last();
    for (int r = 0; r < unit.shape().size(Axis.BATCH); r++) {
      boolean there = false;
      for (int c = 0; c < d; c++) {
        there |= vectors[r * stride + c] != 0;
      }
      there &=
          !(options.moved() instanceof Moved.One(int position))
              || position < options.tokens().length(batchFrom + r) - 1;
      double[] numbers = values[batchFrom + r - blockFrom];
      numbers[columns.firstCount(direction)] = there ? 1 : 0;
      int read =
          options.moved() instanceof Moved.One ? 1 : options.tokens().length(batchFrom + r) - 2;
      numbers[columns.restCount(direction)] = there ? read : 0;
    }
  }

  /** Measures some lengths along one direction and adds the sums to the rows' numbers. */
  private void measure(
      BaseRun base,
      Tensor unit,
      int direction,
      RowRange some,
      int batchFrom,
      int blockFrom,
      double[][] values) {
    Continuation continuation = base.continueWith(perturbed(base.activation(), unit, some));
    PositionValues kl = continuation.klNats();
    PositionValues l2 = continuation.l2At(HookPoint.residPost(gpt2.config().nLayers() - 1));
    int batch = base.tokens().rows();
    for (int copy = 0; copy < some.size(); copy++) {
      int l = some.from() + copy;
      for (int r = 0; r < batch; r++) {
        double[] numbers = values[batchFrom + r - blockFrom];
        int row = copy * batch + r;
        add(kl, row, direction, l, Metric.KL, numbers, batchFrom + r);
        add(l2, row, direction, l, Metric.L2, numbers, batchFrom + r);
      }
    }
  }

  private void add(
      PositionValues measured,
      int row,
      int direction,
      int length,
      Metric metric,
      double[] numbers,
      int dataRow) {
    double rest = 0;
    double first;
    if (options.moved() instanceof Moved.One(int position)) {
      // Both means are of that position, so that its value is in both.
      rest = position < measured.length(row) - 1 ? measured.get(row, position) : 0;
      first = rest;
    } else {
      for (int pos = 1; pos < measured.length(row) - 1; pos++) {
        rest += measured.get(row, pos);
      }
      first = measured.get(row, 0);
    }
    if (!Double.isFinite(first + rest)) {
      throw new IllegalStateException(
          metric
              + " is not a finite number in row "
              + dataRow
              + " for "
              + directions.get(direction).name()
              + " at length "
              + lengths[length]
              + "; the length is too large for float32 or the weights are damaged");
    }
    numbers[columns.first(direction, length, metric)] = first;
    numbers[columns.rest(direction, length, metric)] = rest;
  }

  /** Returns x + α·d for some lengths α, stacked along the batch axis. */
  private Tensor perturbed(Tensor x, Tensor unit, RowRange some) {
    Backend backend = gpt2.backend();
    int batch = x.shape().size(Axis.BATCH);
    Tensor stacked = backend.allocate(x.shape().with(Axis.BATCH, batch * some.size()));
    try (var scope = backend.scope()) {
      for (int l = some.from(); l < some.to(); l++) {
        Tensor one = scope.take(x.shape());
        backend.addScaled(x, lengths[l], unit, one);
        backend.insert(one, Axis.BATCH, (l - some.from()) * batch, stacked);
        scope.give(one);
      }
    }
    return stacked;
  }
}
