package dev.resid.experiments.study;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.sweep.Shard;
import dev.resid.hook.HookPoint;
import dev.resid.model.BaseRun;
import dev.resid.model.Continuation;
import dev.resid.model.Gpt2;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeConfig;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the model and the SAEs do in a run, counted before it starts. Drawing and statistics are not
 * part of it.
 *
 * @param positions of a row
 * @param blocks evaluations of one block on a row
 * @param predictions of a row, compared with the clean ones at every position
 * @param saes what SAEs do
 */
public record Work(int positions, long blocks, long predictions, List<SaeWork> saes) {
  /** Rows that are measured, fewer where they are long. */
  private static final int ROWS = 4;

  private static final int POSITIONS = 512;

  /** Parameters times positions that are enough: a row of 128 for GPT-2 small. */
  private static final long ENOUGH = 20_000_000_000L;

  private static final int LEAST_RUNS = 3;

  /** The first runs are slow, until their code is compiled. */
  private static final double SAMPLE_SECONDS = 0.4;

  /** Enough, even if there were fewer runs. */
  private static final double MOST_SECONDS = 15;

  /** Copies the list. */
  public Work {
    saes = List.copyOf(saes);
  }

  /** Work without SAEs. */
  public Work(int positions, long blocks, long predictions) {
    this(positions, blocks, predictions, List.of());
  }

  /**
   * What an SAE does.
   *
   * @param sae which
   * @param rows that it encodes and decodes
   */
  public record SaeWork(Sae sae, long rows) {
    /** Returns that each of some SAEs encodes so many rows. */
    public static List<SaeWork> each(List<NamedSae> saes, long rows) {
      return saes.stream().map(named -> new SaeWork(named.sae(), rows)).toList();
    }

    /** Returns what SAEs of the same cost have in common. */
    private List<Object> kind() {
      SaeConfig config = sae.config();
      return List.of(config.architecture(), config.dIn(), config.dSae());
    }
  }

  /**
   * Returns as words about how long a part takes, measured on a few rows: the blocks alone, with
   * predictions, and an SAE of each size, each at its fastest.
   *
   * @param gpt2 the model, on the backend of the run
   * @param shard which part
   */
  public String estimate(Gpt2 gpt2, Shard shard) {
    int rows = measuredRows(gpt2.config().parameters());
    TokenBatch tokens = tokens(rows, gpt2.config().dVocab());
    double block;
    double prediction;
    try (BaseRun base = gpt2.baseRun(tokens, HookPoint.residPre(0))) {
      Tensor moved = base.activation().times(1.5);
      block = fastest(() -> base.continueWith(moved));
      Continuation continuation = base.continueWith(moved);
      prediction = fastest(continuation::klNats);
    }
    double seconds =
        seconds(block / gpt2.config().nLayers() / rows, prediction / rows, saeSeconds(gpt2), shard);
    return "; about "
        + words(seconds)
        + (saes.isEmpty() ? " in the model" : " in the model and the SAEs")
        + ", measured on "
        + (rows == 1 ? "1 row" : rows + " rows");
  }

  int measuredRows(long parameters) {
    return Math.clamp(Math.min(POSITIONS, ENOUGH / parameters) / positions, 1, ROWS);
  }

  /**
   * Returns how many seconds something takes at its fastest, run as often as it takes to know that.
   *
   * @param sample what is measured
   */
  public static double fastest(Runnable sample) {
    double best = Double.MAX_VALUE;
    long begin = System.nanoTime();
    for (int run = 0; goesOn(run, since(begin)); run++) {
      long started = System.nanoTime();
      sample.run();
      best = Math.min(best, since(started));
    }
    return best;
  }

  private static boolean goesOn(int run, double seconds) {
    return run == 0 || seconds < SAMPLE_SECONDS || run < LEAST_RUNS && seconds < MOST_SECONDS;
  }

  // Of a part, at so many seconds a block on a row, a prediction of a row, and for all SAEs.
  double seconds(double block, double prediction, double saeSeconds, Shard shard) {
    return (blocks * block + predictions * prediction + saeSeconds) / shard.count();
  }

  /** Returns how long all SAEs take, from one row for one SAE of each kind. */
  private double saeSeconds(Gpt2 gpt2) {
    Map<List<Object>, List<SaeWork>> kinds =
        saes.stream().collect(Collectors.groupingBy(SaeWork::kind));
    double seconds = 0;
    for (List<SaeWork> kind : kinds.values()) {
      Sae sae = kind.getFirst().sae();
      HookPoint point = sae.config().point();
      Tensor x = gpt2.capture(tokens(1, gpt2.config().dVocab()), point.capture()).get(point);
      seconds += fastest(() -> sae.reconstruct(x)) * kind.stream().mapToLong(SaeWork::rows).sum();
    }
    return seconds;
  }

  /** Returns rows of different tokens, since an SAE does more with some. */
  private TokenBatch tokens(int rows, int dVocab) {
    int[][] ids = new int[rows][positions];
    for (int i = 0; i < rows * positions; i++) {
      ids[i / positions][i % positions] = (int) (i * 7919L % dVocab);
    }
    return TokenBatch.of(ids);
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
