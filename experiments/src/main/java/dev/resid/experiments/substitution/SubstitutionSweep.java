package dev.resid.experiments.substitution;

import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.substitution.Cases.Case;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Replaces the activations of some rows by everything there is, one point after the other: the
 * clean run once a point, an SAE's reconstruction once, one continuation a replacement.
 */
final class SubstitutionSweep implements BlockWork {
  private final Gpt2 gpt2;
  private final SubstitutionOptions options;
  private final Cases cases;
  private final Map<HookPoint, Replacements> replacements;
  private final int batchRows;

  SubstitutionSweep(
      Gpt2 gpt2,
      SubstitutionOptions options,
      Cases cases,
      Map<HookPoint, Replacements> replacements,
      int batchRows) {
    this.gpt2 = gpt2;
    this.options = options;
    this.cases = cases;
    this.replacements = replacements;
    this.batchRows = batchRows;
  }

  /** Returns how many continuations a row takes. */
  static int continuations(Cases cases) {
    return cases.all().size() + cases.single().size();
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][cases.count()];
    int done = 0;
    for (int from = rows.from(); from < rows.to(); from += batchRows) {
      int to = Math.min(rows.to(), from + batchRows);
      TokenBatch part = options.tokens().slice(from, to);
      for (int row = from; row < to; row++) {
        count(values[row - rows.from()], options.tokens().length(row));
      }
      Map<HookPoint, BaseRun> runs = gpt2.baseRuns(part, options.points());
      for (HookPoint point : options.points()) {
        try (BaseRun base = runs.get(point)) {
          BasePoints points = BasePoints.of(base.activation(), from, part.lengths());
          Batch batch = new Batch(base, points, from, rows.from(), values);
          if (point.equals(options.points().getFirst())
              && options.readouts().contains(Readout.CE)) {
            batch.clean();
          }
          done += batch.measurePoint(point, done, progress);
          for (NamedSae sae : options.at(point)) {
            done += batch.measureSae(point, sae, done, progress);
          }
        }
      }
    }
    return values;
  }

  private void count(double[] numbers, int length) {
    numbers[cases.firstCount()] = 1;
    numbers[cases.restCount()] = length - 2;
    for (int distance = 0; distance < Cases.AFTER; distance++) {
      numbers[cases.afterCount(distance)] = reaches(length, distance) ? 1 : 0;
    }
  }

  /** Returns whether a row has a next token at that distance from the single position. */
  private boolean reaches(int length, int distance) {
    return options.position() + distance < length - 1;
  }

  /** What a case belongs to. */
  private enum SubjectKind {
    POINT,
    SAE
  }

  /** Some rows that go through the model together. */
  private final class Batch {
    private final BaseRun base;
    private final BasePoints points;
    private final int batchFrom;
    private final int blockFrom;
    private final double[][] values;

    private Batch(
        BaseRun base, BasePoints points, int batchFrom, int blockFrom, double[][] values) {
      this.base = base;
      this.points = points;
      this.batchFrom = batchFrom;
      this.blockFrom = blockFrom;
      this.values = values;
    }

    private int measurePoint(HookPoint point, int before, IntConsumer progress) {
      return measure(point, point.name(), base.activation(), SubjectKind.POINT, before, progress);
    }

    private int measureSae(HookPoint point, NamedSae sae, int before, IntConsumer progress) {
      Tensor reconstruction = sae.sae().reconstruct(base.activation());
      return measure(point, sae.name(), reconstruction, SubjectKind.SAE, before, progress);
    }

    private int measure(
        HookPoint point,
        String subject,
        Tensor reconstruction,
        SubjectKind kind,
        int before,
        IntConsumer progress) {
      int rows = base.tokens().rows();
      int done = 0;
      for (Substitute substitute : options.substitutes()) {
        if (substitute.needsSae() != (kind == SubjectKind.SAE)) {
          continue;
        }
        Case one = new Case(subject, substitute);
        Tensor replaced =
            replacements.get(point).of(substitute, base.activation(), points, reconstruction);
        everywhere(one, base.continueWith(replaced));
        done += rows;
        if (cases.single().contains(one)) {
          alone(one, replaced);
          done += rows;
        }
        progress.accept(before + done);
      }
      return done;
    }

    private void everywhere(Case one, Continuation continuation) {
      Map<Readout, PositionValues> measured = predictions(continuation);
      if (options.readouts().contains(Readout.L2)) {
        HookPoint last = HookPoint.residPost(gpt2.config().nLayers() - 1);
        measured.put(Readout.L2, continuation.l2At(last));
      }
      for (Readout readout : options.readouts()) {
        String what = readout + " for " + one.subject() + ", " + one.substitute().word();
        add(what, cases.first(one, readout), measured.get(readout));
      }
    }

    private Map<Readout, PositionValues> predictions(Continuation continuation) {
      Map<Readout, PositionValues> found = new EnumMap<>(Readout.class);
      if (options.readouts().containsAll(List.of(Readout.KL, Readout.CE))) {
        Continuation.KlAndCrossEntropy both = continuation.klAndCrossEntropyNats();
        found.put(Readout.KL, both.klNats());
        found.put(Readout.CE, both.crossEntropyNats());
      } else if (options.readouts().contains(Readout.KL)) {
        found.put(Readout.KL, continuation.klNats());
      } else if (options.readouts().contains(Readout.CE)) {
        found.put(Readout.CE, continuation.crossEntropyNats());
      }
      return found;
    }

    private void clean() {
      add("the clean cross-entropy", cases.cleanFirst(), base.crossEntropyNats());
    }

    /** Adds sums at position 0, and in the next column at all others that predict a token. */
    private void add(String what, int column, PositionValues measured) {
      for (int r = 0; r < measured.rows(); r++) {
        double rest = 0;
        for (int pos = 1; pos < options.tokens().length(batchFrom + r) - 1; pos++) {
          rest += measured.get(r, pos);
        }
        double first = measured.get(r, 0);
        if (!Double.isFinite(first + rest)) {
          throw new IllegalStateException(
              what
                  + " is not a finite number in row "
                  + (batchFrom + r)
                  + "; the SAE's or the model's weights are damaged");
        }
        double[] numbers = values[batchFrom + r - blockFrom];
        numbers[column] = first;
        numbers[column + 1] = rest;
      }
    }

    /** Replaces one position of every row that has it and reads it and those after it. */
    private void alone(Case one, Tensor replaced) {
      int position = options.position();
      if (position >= base.activation().shape().size(Axis.POS)) {
        return;
      }
      Tensor changed = base.activation().with(Axis.POS, position, replaced.at(Axis.POS, position));
      PositionValues kl = base.continueWith(changed).klNats();
      for (int r = 0; r < kl.rows(); r++) {
        for (int distance = 0; distance < Cases.AFTER; distance++) {
          if (reaches(kl.length(r), distance)) {
            values[batchFrom + r - blockFrom][cases.after(one, distance)] =
                kl.get(r, position + distance);
          }
        }
      }
    }
  }
}
