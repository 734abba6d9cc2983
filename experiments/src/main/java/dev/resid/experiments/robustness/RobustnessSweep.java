package dev.resid.experiments.robustness;

import dev.resid.experiments.activations.BatchSizes;
import dev.resid.experiments.direction.BasePoints;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.direction.ThetaRandom;
import dev.resid.experiments.direction.ThetaRandom.Length;
import dev.resid.experiments.robustness.RobustnessLayout.Fact;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.experiments.sweep.Workers;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.SparseFeatures;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Replaces the activations of some rows by vectors at given angles and by SAE reconstructions, one
 * point after the other: the clean run once for all points, several replacements as one batch.
 */
final class RobustnessSweep implements BlockWork {
  private final Gpt2 gpt2;
  private final RobustnessOptions options;
  private final RobustnessLayout sizes;
  private final RowLayout layout;
  private final BatchSizes batches;
  private final Workers workers;

  RobustnessSweep(
      Gpt2 gpt2,
      RobustnessOptions options,
      RobustnessLayout sizes,
      BatchSizes batches,
      Workers workers) {
    this.gpt2 = gpt2;
    this.options = options;
    this.sizes = sizes;
    this.layout = sizes.rows();
    this.batches = batches;
    this.workers = workers;
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][layout.count()];
    int done = 0;
    for (int from = rows.from(); from < rows.to(); from += batches.rows()) {
      int to = Math.min(rows.to(), from + batches.rows());
      TokenBatch part = options.tokens().slice(from, to);
      for (int row = from; row < to; row++) {
        double[] numbers = values[row - rows.from()];
        numbers[layout.index("count", 0)] = 1;
        numbers[layout.index("count", 1)] = part.length(row - from) - 2;
      }
      Map<HookPoint, BaseRun> runs = gpt2.baseRuns(part, options.starts());
      // The same from whichever point the run is continued.
      PositionValues clean = runs.get(options.starts().getFirst()).crossEntropyNats();
      for (HookPoint point : options.starts()) {
        try (BaseRun base = runs.get(point)) {
          Batch batch = new Batch(base, clean, from, rows.from(), values);
          if (point.equals(options.starts().getFirst())) {
            batch.addClean();
          }
          if (options.points().contains(point)) {
            done += batch.turn(options.points().indexOf(point), done, progress);
          }
          for (NamedSae sae : options.at(point)) {
            done += batch.compare(sae, done, progress);
          }
        }
      }
    }
    return values;
  }

  /** Where the numbers of a replacement go. */
  @FunctionalInterface
  private interface Place {
    int of(Readout readout, int part);
  }

  /**
   * A replacement.
   *
   * @param what it is, for errors
   * @param replaced makes it, [batch, pos, d_model]
   * @param place where its numbers go
   */
  private record Job(String what, Supplier<Tensor> replaced, Place place) {}

  /** Some rows that go through the model together. */
  private final class Batch {
    private final BaseRun base;
    private final Tensor x;
    private final BasePoints points;
    private final PositionValues clean;
    private final int from;
    private final int blockFrom;
    private final double[][] values;

    private Batch(BaseRun base, PositionValues clean, int from, int blockFrom, double[][] values) {
      this.base = base;
      this.x = base.activation();
      this.points = BasePoints.of(x, from, base.tokens().lengths());
      this.clean = clean;
      this.from = from;
      this.blockFrom = blockFrom;
      this.values = values;
    }

    /** Adds the clean cross-entropies. */
    private void addClean() {
      for (int row = 0; row < base.tokens().rows(); row++) {
        for (int pos = 0; pos < base.tokens().length(row) - 1; pos++) {
          numbers(row)[layout.index("clean_ce", part(pos))] += clean.get(row, pos);
        }
      }
    }

    private double[] numbers(int row) {
      return values[from + row - blockFrom];
    }

    private static int part(int pos) {
      return pos == 0 ? 0 : 1;
    }

    /** Turns the activations of a point to every cosine. */
    private int turn(int point, int before, IntConsumer progress) {
      float[] all = x.toArray();
      int d = x.shape().last();
      for (int row = 0; row < base.tokens().rows(); row++) {
        for (int pos = 0; pos < base.tokens().length(row) - 1; pos++) {
          numbers(row)[layout.index("norm", point, part(pos))] +=
              Math.sqrt(dot(all, all, offset(row, pos), d));
        }
      }
      List<Job> jobs = new ArrayList<>();
      for (int r = 0; r < sizes.ratios().size(); r++) {
        for (int c = 0; c < sizes.cosines().size(); c++) {
          int ratio = r;
          int cosine = c;
          ThetaRandom turned = ThetaRandom.of(sizes.cosines().get(c), sizes.ratios().get(r));
          jobs.add(
              new Job(
                  base.point() + " at cosine " + sizes.cosines().get(c),
                  () -> turned.draw(options.seed(), points, workers),
                  (readout, part) ->
                      layout.index("random", point, ratio, cosine, readout.ordinal(), part)));
        }
      }
      run(jobs, before, progress);
      return jobs.size() * base.tokens().rows();
    }

    /** Measures an SAE's reconstruction and random vectors at its cosine. */
    private int compare(NamedSae sae, int before, IntConsumer progress) {
      int index = sizes.saes().indexOf(sae.name());
      SparseFeatures features = sae.sae().encode(x);
      Tensor reconstruction = sae.sae().decode(features, x);
      double[][] cosines = facts(index, features, reconstruction);
      List<Job> jobs = new ArrayList<>();
      jobs.add(job(sae, index, RobustnessLayout.RECONSTRUCTION, () -> reconstruction));
      ThetaRandom same = ThetaRandom.likeThat(reconstruction, Length.OF_REPLACEMENT);
      ThetaRandom held = ThetaRandom.likeThat(reconstruction, Length.OF_BASE);
      jobs.add(
          job(
              sae,
              index,
              RobustnessLayout.AT_ITS_NORM,
              () -> same.draw(options.seed(), points, workers)));
      for (int r = 0; r < sizes.ratios().size(); r++) {
        double ratio = sizes.ratios().get(r);
        jobs.add(
            job(
                sae,
                index,
                RobustnessLayout.AT_RATIO + r,
                () -> held.draw(options.seed(), points, workers).times(ratio)));
      }
      List<double[][]> kl = run(jobs, before, progress);
      for (int row = 0; row < cosines.length; row++) {
        for (int pos = 1; pos < cosines[row].length; pos++) {
          int bin = RobustnessLayout.bin(cosines[row][pos]);
          double[] numbers = numbers(row);
          numbers[layout.index("bin", index, bin, RobustnessLayout.BIN_COUNT)]++;
          numbers[layout.index("bin", index, bin, RobustnessLayout.BIN_COSINE)] +=
              cosines[row][pos];
          numbers[layout.index("bin", index, bin, RobustnessLayout.BIN_SAE)] +=
              kl.get(RobustnessLayout.RECONSTRUCTION)[row][pos];
          numbers[layout.index("bin", index, bin, RobustnessLayout.BIN_RANDOM)] +=
              kl.get(RobustnessLayout.AT_ITS_NORM)[row][pos];
        }
      }
      return jobs.size() * base.tokens().rows();
    }

    private Job job(NamedSae sae, int index, int replacement, Supplier<Tensor> replaced) {
      return new Job(
          sae.name(),
          replaced,
          (readout, part) -> layout.index("sae", index, replacement, readout.ordinal(), part));
    }

    /** Adds what is known of the SAE and returns cos(x, SAE(x)) of every position but a last. */
    private double[][] facts(int sae, SparseFeatures features, Tensor reconstruction) {
      float[] from = x.toArray();
      float[] to = reconstruction.toArray();
      int d = x.shape().last();
      double[][] cosines = new double[base.tokens().rows()][];
      for (int row = 0; row < cosines.length; row++) {
        cosines[row] = new double[base.tokens().length(row) - 1];
        for (int pos = 0; pos < cosines[row].length; pos++) {
          int at = offset(row, pos);
          double square = dot(from, from, at, d);
          double other = dot(to, to, at, d);
          cosines[row][pos] =
              Math.clamp(dot(from, to, at, d) / Math.sqrt(square * other), -1.0, 1.0);
          add(sae, Fact.COSINE, row, pos, cosines[row][pos]);
          add(sae, Fact.LENGTH, row, pos, Math.sqrt(other / square));
          add(sae, Fact.L0, row, pos, features.count(at / d));
        }
      }
      return cosines;
    }

    private void add(int sae, Fact fact, int row, int pos, double value) {
      numbers(row)[layout.index("fact", sae, fact.ordinal(), part(pos))] += value;
    }

    private int offset(int row, int pos) {
      return (row * x.shape().size(Axis.POS) + pos) * x.shape().last();
    }

    /** Runs replacements, several as one batch, and returns KL of each, [rows][positions]. */
    private List<double[][]> run(List<Job> jobs, int before, IntConsumer progress) {
      int rows = base.tokens().rows();
      List<double[][]> found = new ArrayList<>();
      for (int at = 0; at < jobs.size(); at += batches.lengths()) {
        List<Job> some = jobs.subList(at, Math.min(jobs.size(), at + batches.lengths()));
        Continuation changed = base.continueWith(stacked(some));
        Continuation.KlAndCrossEntropy both = changed.klAndCrossEntropyNats();
        PositionValues kl = both.klNats();
        PositionValues ce = both.crossEntropyNats();
        for (int copy = 0; copy < some.size(); copy++) {
          double[][] byRow = new double[rows][];
          for (int row = 0; row < rows; row++) {
            byRow[row] = kl.row(copy * rows + row);
            add(some.get(copy), row, byRow[row], ce.row(copy * rows + row));
          }
          found.add(byRow);
        }
        progress.accept(before + (at + some.size()) * rows);
      }
      return found;
    }

    private void add(Job job, int row, double[] kl, double[] ce) {
      double[] sums = new double[4];
      for (int pos = 0; pos < base.tokens().length(row) - 1; pos++) {
        sums[part(pos)] += kl[pos];
        sums[2 + part(pos)] += ce[pos] - clean.get(row, pos);
      }
      for (int i = 0; i < sums.length; i++) {
        if (!Double.isFinite(sums[i])) {
          throw new IllegalStateException(
              Readout.values()[i / 2]
                  + " is not a finite number in row "
                  + (from + row)
                  + " for "
                  + job.what()
                  + "; the SAE's or the model's weights are damaged");
        }
        numbers(row)[job.place().of(Readout.values()[i / 2], i % 2)] = sums[i];
      }
    }

    private Tensor stacked(List<Job> jobs) {
      int each = Math.toIntExact(x.elements());
      float[] all = new float[Math.multiplyExact(each, jobs.size())];
      for (int i = 0; i < jobs.size(); i++) {
        System.arraycopy(jobs.get(i).replaced().get().toArray(), 0, all, i * each, each);
      }
      int batch = x.shape().size(Axis.BATCH);
      return Tensor.wrap(x.shape().with(Axis.BATCH, batch * jobs.size()), all);
    }
  }

  private static double dot(float[] a, float[] b, int offset, int d) {
    double sum = 0;
    for (int i = offset; i < offset + d; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
