package dev.resid.experiments.language;

import dev.resid.experiments.language.ClozeOptions.Quality;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.RowRange;
import dev.resid.experiments.sweep.SweepRunner.BlockWork;
import dev.resid.hook.HookPoint;
import dev.resid.hook.Site;
import dev.resid.metric.LogSoftmax;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.model.PositionValues;
import dev.resid.sae.Sae;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Computes what a prompt shows: the clean prediction, and that with each SAE in place. */
final class ClozeSweep implements BlockWork {
  private static final HookPoint NORMALIZED = HookPoint.at(Site.LN_FINAL_NORMALIZED);

  private final Gpt2 gpt2;
  private final ClozeOptions options;
  private final RowLayout layout;
  private final Map<HookPoint, List<Integer>> saesAt = new LinkedHashMap<>();

  ClozeSweep(Gpt2 gpt2, ClozeOptions options) {
    this.gpt2 = gpt2;
    this.options = options;
    this.layout = ClozeLayout.of(options.saes().size());
    for (int s = 0; s < options.saes().size(); s++) {
      HookPoint point = options.saes().get(s).sae().hookPoint();
      saesAt.computeIfAbsent(point, p -> new ArrayList<>()).add(s);
    }
  }

  @Override
  public double[][] compute(RowRange rows, IntConsumer progress) {
    double[][] values = new double[rows.size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = prompt(options.prompts().get(rows.from() + i));
      progress.accept(i + 1);
    }
    return values;
  }

  private double[] prompt(ClozePrompt prompt) {
    double[] row = new double[layout.count()];
    int n = prompt.length();
    List<HookPoint> points =
        saesAt.isEmpty()
            ? List.of(HookPoint.residPost(gpt2.config().nLayers() - 1))
            : List.copyOf(saesAt.keySet());
    Map<HookPoint, BaseRun> runs = gpt2.baseRuns(prompt.tokens(), points, NORMALIZED);
    BaseRun clean = runs.get(points.getFirst());
    double[] logProbs = logProbs(clean.cache().get(NORMALIZED), 0, n - 1);
    row[layout.index(ClozeLayout.LN_P)] = logProbs[prompt.answer()];
    row[layout.index(ClozeLayout.CORRECT)] = argMax(logProbs) == prompt.answer() ? 1 : 0;
    row[layout.index(ClozeLayout.CE_SUM)] = crossEntropy(clean.crossEntropyNats(), 0, n);
    row[layout.index(ClozeLayout.CE_COUNT)] = Math.max(0, n - 3);
    row[layout.index(ClozeLayout.POSITIONS)] = n - 1;
    for (Map.Entry<HookPoint, BaseRun> entry : runs.entrySet()) {
      try (BaseRun base = entry.getValue()) {
        if (!saesAt.isEmpty()) {
          replaced(row, prompt, base, saesAt.get(entry.getKey()));
        }
      }
    }
    return row;
  }

  /** All SAEs of a point as one batch; then, if that is measured, all of them applied twice. */
  private void replaced(double[] row, ClozePrompt prompt, BaseRun base, List<Integer> saes) {
    Tensor clean = base.activation();
    boolean twice = options.quality() == Quality.OF_RECONSTRUCTION;
    int size = Math.toIntExact(clean.elements());
    float[] all = new float[size * saes.size() * (twice ? 2 : 1)];
    for (int i = 0; i < saes.size(); i++) {
      Sae sae = options.saes().get(saes.get(i)).sae();
      SaeQuality once = SaeQuality.of(sae, clean, prompt.length());
      System.arraycopy(once.reconstruction(), 0, all, i * size, size);
      if (twice) {
        Tensor hat = Tensor.wrap(clean.shape(), once.reconstruction());
        SaeQuality again = SaeQuality.of(sae, hat, prompt.length());
        System.arraycopy(again.reconstruction(), 0, all, (saes.size() + i) * size, size);
        addUp(row, again, hat, saes.get(i), prompt.length());
      } else {
        addUp(row, once, clean, saes.get(i), prompt.length());
      }
    }
    Continuation continuation =
        base.continueWith(
            Tensor.wrap(clean.shape().with(Axis.BATCH, all.length / size), all), NORMALIZED);
    PositionValues nats = continuation.crossEntropyNats();
    int n = prompt.length();
    int last = n - 1 - continuation.firstPosition();
    for (int i = 0; i < saes.size(); i++) {
      int s = saes.get(i);
      double[] logProbs = logProbs(continuation.cache().get(NORMALIZED), i, last);
      double delta = logProbs[prompt.answer()] - row[layout.index(ClozeLayout.LN_P)];
      boolean now = argMax(logProbs) == prompt.answer();
      boolean before = row[layout.index(ClozeLayout.CORRECT)] == 1;
      double with = crossEntropy(nats, i, n);
      row[layout.index(ClozeLayout.DELTA_LN_P, s)] = delta;
      row[layout.index(ClozeLayout.SAE_CORRECT, s)] = now ? 1 : 0;
      row[layout.index(ClozeLayout.SAE_CE_SUM, s)] = with;
      row[layout.index(ClozeLayout.DELTA_CE_SUM, s)] =
          twice
              ? crossEntropy(nats, saes.size() + i, n) - with
              : with - row[layout.index(ClozeLayout.CE_SUM)];
      row[layout.index(ClozeLayout.CLASS, s, classOf(before ? 1 : 0, now ? 1 : 0))] = 1;
      row[layout.index(ClozeLayout.NO_DECREASE, s)] = delta >= 0 ? 1 : 0;
    }
  }

  /** 0 both correct, 1 the clean run only, 2 the other only, 3 neither. */
  private static int classOf(int before, int now) {
    return 2 * (1 - before) + (1 - now);
  }

  /** Adds up what is measured of an SAE, but at the last token. */
  private void addUp(double[] row, SaeQuality quality, Tensor x, int s, int n) {
    for (int pos = 0; pos < n - 1; pos++) {
      double[] found = quality.values()[pos];
      for (int q = 0; q < found.length; q++) {
        row[layout.index(ClozeLayout.SUMS, s, q)] += found[q];
        row[layout.index(ClozeLayout.FIRST, s, q)] += pos == 0 ? found[q] : 0;
      }
    }
    row[layout.index(ClozeLayout.NORMALIZED_MSE, s)] = quality.normalizedMse(x, n, n - 1);
  }

  private double[] logProbs(Tensor normalized, int row, int pos) {
    Tensor one = normalized.slice(Axis.BATCH, row, row + 1).slice(Axis.POS, pos, pos + 1);
    return LogSoftmax.rows(gpt2.unembed(one))[0];
  }

  private static int argMax(double... values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** Returns the sum over predictions at positions 1 to n − 3. */
  private static double crossEntropy(PositionValues nats, int row, int n) {
    double sum = 0;
    for (int pos = 1; pos <= n - 3; pos++) {
      sum += nats.get(row, pos);
    }
    return sum;
  }
}
