package dev.resid.experiments.patch;

import dev.resid.analysis.ActivationPatching;
import dev.resid.analysis.ActivationPatching.Patch;
import dev.resid.analysis.Attribution;
import dev.resid.analysis.DirectLogitAttribution;
import dev.resid.analysis.LogitLens;
import dev.resid.analysis.LogitReadout;
import dev.resid.analysis.ResidualStack;
import dev.resid.analysis.ResidualStack.Split;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.tokenizer.TokenBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** Computes what a pair of prompts shows: every patch, every attribution, the lens. */
final class PatchSweep implements BlockWork {
  private final Gpt2 gpt2;
  private final PatchOptions options;
  private final PatchLayout sizes;
  private final RowLayout layout;

  PatchSweep(Gpt2 gpt2, PatchOptions options, PatchLayout sizes) {
    this.gpt2 = gpt2;
    this.options = options;
    this.sizes = sizes;
    this.layout = sizes.rows();
  }

  /** Returns how many continuations a pair of a length takes. */
  static int continuations(PatchLayout sizes, int length) {
    return sizes.layers() * (length * (PatchLayout.SITES.size() + sizes.heads()) + sizes.heads());
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][];
    int perRow = continuations(sizes, sizes.positions());
    for (int i = 0; i < values.length; i++) {
      int before = i * perRow;
      values[i] = pair(options.pairs().get(rows.from() + i), n -> progress.accept(before + n));
      progress.accept(before + perRow);
    }
    return values;
  }

  private double[] pair(TokenPair pair, IntConsumer progress) {
    double[] row = new double[layout.count()];
    LogitReadout readout =
        LogitReadout.differences(gpt2, new int[] {pair.answer()}, new int[] {pair.against()});
    List<HookPoint> points = new ArrayList<>();
    for (int layer = 0; layer < sizes.layers(); layer++) {
      for (Site site : PatchLayout.SITES) {
        points.add(HookPoint.at(site, layer));
      }
      points.add(HookPoint.z(layer));
    }
    ActivationCache clean = gpt2.capture(pair.clean(), Capture.each(points));
    double corrupted = readout.of(gpt2, pair.corrupted())[0];
    row[layout.index(PatchLayout.CLEAN)] = readout.of(gpt2, pair.clean())[0];
    row[layout.index(PatchLayout.CORRUPTED)] = corrupted;
    patches(row, pair, new Run(clean, readout, corrupted), progress);
    attributions(row, pair, readout, points);
    direct(row, pair.clean(), readout, PatchLayout.DIRECT_CLEAN);
    direct(row, pair.corrupted(), readout, PatchLayout.DIRECT_CORRUPTED);
    lens(row, pair.clean(), readout);
    return row;
  }

  /** What patches of a pair share. */
  private record Run(ActivationCache clean, LogitReadout readout, double corrupted) {}

  private void patches(double[] row, TokenPair pair, Run run, IntConsumer progress) {
    ActivationPatching patching =
        new ActivationPatching(
            gpt2, pair.corrupted(), run.clean, run.readout, options.copiesAtOnce());
    int[] done = {0};
    for (int layer = 0; layer < sizes.layers(); layer++) {
      for (Site site : PatchLayout.SITES) {
        List<Patch> patches = ActivationPatching.everyPosition(pair.corrupted());
        double[][] found = run(patching, HookPoint.at(site, layer), patches, done, progress);
        for (int pos = 0; pos < found.length; pos++) {
          row[layout.index(PatchLayout.exact(site), layer, pos)] = found[pos][0] - run.corrupted;
        }
      }
      HookPoint z = HookPoint.z(layer);
      List<Patch> patches =
          ActivationPatching.everyPositionAndHead(pair.corrupted(), sizes.heads());
      double[][] found = run(patching, z, patches, done, progress);
      for (int i = 0; i < found.length; i++) {
        Patch patch = patches.get(i);
        row[layout.index(PatchLayout.exact(Site.Z), layer, patch.position(), patch.head())] =
            found[i][0] - run.corrupted;
      }
      double[][] whole =
          run(patching, z, ActivationPatching.everyHead(sizes.heads()), done, progress);
      for (int head = 0; head < whole.length; head++) {
        row[layout.index(PatchLayout.WHOLE_HEAD, layer, head)] = whole[head][0] - run.corrupted;
      }
    }
    int[] differences = pair.differences();
    if (differences.length == 1) {
      row[layout.index(PatchLayout.ONE_DIFFERENCE)] = 1;
      row[layout.index(PatchLayout.AT_DIFFERENCE)] =
          row[layout.index(PatchLayout.exact(Site.RESID_PRE), 0, differences[0])];
    }
  }

  private static double[][] run(
      ActivationPatching patching,
      HookPoint point,
      List<Patch> patches,
      int[] done,
      IntConsumer progress) {
    int before = done[0];
    double[][] found = patching.run(point, patches, n -> progress.accept(before + n));
    done[0] += patches.size();
    return found;
  }

  private void attributions(
      double[] row, TokenPair pair, LogitReadout readout, List<HookPoint> points) {
    Attribution found = Attribution.of(gpt2, pair.corrupted(), pair.clean(), readout, points);
    for (HookPoint point : points) {
      String name = PatchLayout.attributed(point.site());
      for (int pos = 0; pos < pair.length(); pos++) {
        if (point.site() == Site.Z) {
          for (int head = 0; head < sizes.heads(); head++) {
            row[layout.index(name, point.layer(), pos, head)] = found.at(point, 0, pos, head);
          }
        } else {
          row[layout.index(name, point.layer(), pos)] = found.at(point, 0, pos);
        }
      }
    }
  }

  private void direct(double[] row, TokenBatch tokens, LogitReadout readout, String name) {
    ResidualStack stack = ResidualStack.of(gpt2, tokens, Split.HEADS);
    DirectLogitAttribution found = DirectLogitAttribution.of(stack, readout);
    int terms = found.names().size();
    for (int term = 0; term < terms; term++) {
      row[layout.index(name, term)] = found.atLast(term)[0];
    }
    row[layout.index(name, terms)] = found.constant(0);
    double error = Math.abs(found.sum(0, tokens.length(0) - 1) - readout.of(gpt2, tokens)[0]);
    int at = layout.index(PatchLayout.DIRECT_ERROR);
    row[at] = Math.max(row[at], error);
  }

  private void lens(double[] row, TokenBatch tokens, LogitReadout readout) {
    try (LogitLens lens = LogitLens.of(gpt2, tokens)) {
      row[layout.index(PatchLayout.TOKENS)] = tokens.length(0) - 1;
      for (int p = 0; p < lens.points().size(); p++) {
        HookPoint point = lens.points().get(p);
        double[] readouts = lens.readout(point, readout)[0];
        PositionValues kl = lens.at(point).klNats();
        for (int pos = 0; pos < readouts.length; pos++) {
          row[layout.index(PatchLayout.LENS, p, pos)] = readouts[pos];
          row[layout.index(PatchLayout.LENS_KL, p, pos)] = kl.get(0, pos);
          row[layout.index(PatchLayout.LENS_KL_SUM, p)] += pos == 0 ? 0 : kl.get(0, pos);
        }
      }
    }
  }
}
