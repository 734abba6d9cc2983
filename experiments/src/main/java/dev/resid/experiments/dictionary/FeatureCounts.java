package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.result.RunFiles;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.Capture;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.SparseFeatures;
import dev.resid.sae.metric.FeatureRemoval.Order;
import dev.resid.tokenizer.TokenBatch;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * On how many tokens each feature of an SAE is active, and the sum of its values: a walk over the
 * clean text before anything is removed.
 */
final class FeatureCounts {
  /** Rows after which what was counted is written down: of published length, some minutes. */
  static final int ROWS_OF_A_STEP = 256;

  private static final int POSITIONS_AT_A_TIME = 2048;
  private static final int FORMAT = 1;
  private static final String TASK = "frequencies";

  private final long[][] active;
  private final double[][] values;

  private FeatureCounts(long[][] active, double[][] values) {
    this.active = active;
    this.values = values;
  }

  private static FeatureCounts none(List<NamedSae> saes) {
    long[][] active = new long[saes.size()][];
    double[][] values = new double[saes.size()][];
    for (int s = 0; s < active.length; s++) {
      int dSae = saes.get(s).sae().config().dSae();
      active[s] = new long[dSae];
      values[s] = new double[dSae];
    }
    return new FeatureCounts(active, values);
  }

  /** Counts over all tokens, position 0 included. */
  static FeatureCounts of(Gpt2 gpt2, TokenBatch tokens, List<NamedSae> saes, Progress progress) {
    FeatureCounts counts = none(saes);
    try (Progress.Task task = progress.begin(TASK, "rows", 0, tokens.rows())) {
      counts.walk(gpt2, tokens, saes, 0, tokens.rows(), task);
    }
    return counts;
  }

  /**
   * As above, for a long text: what was counted is written down now and then, and a later process
   * goes on from there.
   *
   * @param file where; of a run with the same settings if it is there
   * @param rowsOfAStep rows after which it is written
   * @throws IOException if the file cannot be read or written
   */
  static FeatureCounts of(
      Gpt2 gpt2,
      TokenBatch tokens,
      List<NamedSae> saes,
      Path file,
      int rowsOfAStep,
      Progress progress)
      throws IOException {
    FeatureCounts counts = none(saes);
    int done = Files.exists(file) ? RunFiles.numbers(file, in -> counts.read(file, in)) : 0;
    if (done == tokens.rows()) {
      return counts;
    }
    try (Progress.Task task = progress.begin(TASK, "rows", done, tokens.rows())) {
      while (done < tokens.rows()) {
        int to = Math.min(tokens.rows(), done + rowsOfAStep);
        counts.walk(gpt2, tokens, saes, done, to, task);
        done = to;
        RunFiles.writeNumbers(file, out -> counts.write(to, out));
      }
    }
    return counts;
  }

  private void walk(
      Gpt2 gpt2, TokenBatch tokens, List<NamedSae> saes, int first, int to, Progress.Task task) {
    Capture[] captures =
        saes.stream()
            .map(s -> s.sae().config().point())
            .distinct()
            .map(HookPoint::capture)
            .toArray(Capture[]::new);
    int step = Math.max(1, POSITIONS_AT_A_TIME / tokens.maxLength());
    for (int from = first; from < to; from += step) {
      TokenBatch part = tokens.slice(from, Math.min(to, from + step));
      ActivationCache cache = gpt2.capture(part, captures);
      for (int s = 0; s < saes.size(); s++) {
        NamedSae sae = saes.get(s);
        add(s, sae.sae().encode(cache.get(sae.sae().config().point())), part);
      }
      task.advanceTo(from + part.rows());
    }
  }

  private void write(int rows, DataOutputStream out) throws IOException {
    out.writeInt(FORMAT);
    out.writeInt(rows);
    for (int s = 0; s < active.length; s++) {
      out.writeInt(active[s].length);
      for (int f = 0; f < active[s].length; f++) {
        out.writeLong(active[s][f]);
        out.writeDouble(values[s][f]);
      }
    }
  }

  /** Reads what was counted and returns on how many rows. */
  private int read(Path file, DataInputStream in) throws IOException {
    int format = in.readInt();
    int rows = in.readInt();
    for (int s = 0; s < active.length; s++) {
      if (format != FORMAT || in.readInt() != active[s].length) {
        throw new IOException(file + ": is of another version or other SAEs; delete it");
      }
      for (int f = 0; f < active[s].length; f++) {
        active[s][f] = in.readLong();
        values[s][f] = in.readDouble();
      }
    }
    return rows;
  }

  /** Adds to the notes of a run on how many tokens each feature is active. */
  Settings addTo(Settings notes) {
    for (int s = 0; s < active.length; s++) {
      notes.with("active_" + s, Arrays.stream(active[s]).asDoubleStream().toArray());
    }
    return notes;
  }

  /** Returns the counts of a run, from its notes; they know no values. */
  static FeatureCounts of(Settings notes) {
    long[][] active = new long[SaeFacts.of(notes).size()][];
    for (int s = 0; s < active.length; s++) {
      active[s] = Arrays.stream(notes.numbers("active_" + s)).mapToLong(v -> (long) v).toArray();
    }
    return new FeatureCounts(active, new double[active.length][]);
  }

  private void add(int sae, SparseFeatures features, TokenBatch part) {
    for (int row = 0; row < part.rows(); row++) {
      for (int pos = 0; pos < part.length(row); pos++) {
        int at = row * part.maxLength() + pos;
        for (int i = features.start(at); i < features.end(at); i++) {
          float value = features.values()[i];
          active[sae][features.indices()[i]] += value > 0 ? 1 : 0;
          values[sae][features.indices()[i]] += value;
        }
      }
    }
  }

  /** Returns on how many tokens each feature is active: [d_sae]. */
  long[] active(int sae) {
    return active[sae].clone();
  }

  /** Returns the features that are active anywhere, ascending. */
  int[] alive(int sae) {
    return IntStream.range(0, active[sae].length).filter(f -> active[sae][f] > 0).toArray();
  }

  /**
   * Returns the features that are active on most tokens, at most so many, the most frequent first.
   */
  int[] mostFrequent(int sae, int most) {
    return Arrays.stream(order(sae, Order.FREQUENCY))
        .filter(f -> active[sae][f] > 0)
        .limit(most)
        .toArray();
  }

  /** Returns all features, the first to be removed first, the lowest index first among equals. */
  int[] order(int sae, Order order) {
    return IntStream.range(0, active[sae].length)
        .boxed()
        .sorted(
            Comparator.comparingDouble(
                    (Integer f) -> order == Order.FREQUENCY ? -active[sae][f] : -values[sae][f])
                .thenComparing(f -> f))
        .mapToInt(f -> f)
        .toArray();
  }
}
