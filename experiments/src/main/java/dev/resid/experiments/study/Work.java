package dev.resid.experiments.study;

import dev.resid.experiments.sweep.Shard;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.Locale;

/**
 * What the model does in a run, counted before it starts. Encoding by SAEs, drawing and statistics
 * are not part of it.
 *
 * @param positions of a row
 * @param blocks evaluations of one block on a row
 * @param predictions of a row, compared with the clean ones at every position
 */
public record Work(int positions, long blocks, long predictions) {
  private static final int ROWS = 4;
  private static final int LEAST_RUNS = 3;

  /** The first runs are slow, until their code is compiled. */
  private static final double SAMPLE_SECONDS = 0.7;

  /**
   * Returns as words about how long a part takes, measured on a few rows: the blocks alone, and
   * with predictions, each at its fastest.
   *
   * @param gpt2 the model, on the backend of the run
   * @param shard which part
   */
  public String estimate(Gpt2 gpt2, Shard shard) {
    int[][] ids = new int[ROWS][positions];
    Arrays.setAll(ids, r -> filled(positions, r % gpt2.config().dVocab()));
    double block = Double.MAX_VALUE;
    double prediction = Double.MAX_VALUE;
    try (BaseRun base = gpt2.baseRun(TokenBatch.of(ids), HookPoint.residPre(0))) {
      Tensor moved = base.activation().times(1.5);
      long begin = System.nanoTime();
      for (int run = 0; run < LEAST_RUNS || since(begin) < SAMPLE_SECONDS; run++) {
        long started = System.nanoTime();
        Continuation continuation = base.continueWith(moved);
        block = Math.min(block, since(started));
        started = System.nanoTime();
        continuation.klNats();
        prediction = Math.min(prediction, since(started));
      }
    }
    double seconds = seconds(block / gpt2.config().nLayers() / ROWS, prediction / ROWS, shard);
    return "; about " + words(seconds) + " in the model, measured on " + ROWS + " rows";
  }

  // Of a part, at so many seconds a block on a row and a prediction of a row.
  double seconds(double block, double prediction, Shard shard) {
    return (blocks * block + predictions * prediction) / shard.count();
  }

  private static int[] filled(int length, int id) {
    int[] row = new int[length];
    Arrays.fill(row, id);
    return row;
  }

  private static double since(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  /**
   * Returns a duration in the unit that people would use.
   *
   * @param seconds at least 0; less than one counts as one
   */
  public static String words(double seconds) {
    if (seconds < 1.5) {
      return "1 second";
    }
    if (seconds < 120) {
      return String.format(Locale.ROOT, "%.0f seconds", seconds);
    }
    return seconds < 7200
        ? String.format(Locale.ROOT, "%.0f minutes", seconds / 60)
        : String.format(Locale.ROOT, "%,.0f hours", seconds / 3600);
  }
}
