package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryLayout.Error;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.RowLayout;
import dev.resid.hook.ActivationCache;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.sae.metric.FeatureRemoval;
import dev.resid.sae.metric.FeatureRemoval.Order;
import dev.resid.sae.metric.FeatureRemoval.Step;
import dev.resid.sae.metric.WrittenRun;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Measures norms, errors of SAEs and what is left without their busiest features, row by row. */
final class DictionarySweep {
  private final Gpt2 gpt2;
  private final TokenBatch tokens;
  private final DictionaryLayout sizes;
  private final List<NamedSae> named;
  private final RowLayout layout;
  private final FeatureCounts counts;

  DictionarySweep(
      Gpt2 gpt2, DictionaryOptions options, DictionaryLayout sizes, FeatureCounts counts) {
    this.gpt2 = gpt2;
    this.tokens = options.tokens();
    this.named = options.saes();
    this.sizes = sizes;
    this.layout = sizes.rows();
    this.counts = counts;
  }

  /**
   * Returns the numbers of a row.
   *
   * @param row of the text
   * @param progress told how many continuations are done
   */
  double[] compute(int row, IntConsumer progress) {
    double[] numbers = new double[layout.count()];
    TokenBatch one = tokens.slice(row, row + 1);
    numbers[layout.index("count", 0)] = 1;
    numbers[layout.index("count", 1)] = one.length(0) - 1;
    Map<HookPoint, WrittenRun> runs = WrittenRun.of(gpt2, one, points(), reads());
    norms(numbers, runs.values().iterator().next().cache());
    int[] done = {0};
    IntConsumer advance =
        more -> {
          done[0] += more;
          progress.accept(done[0]);
        };
    sizes.byPoint().forEach((point, saes) -> point(numbers, runs.get(point), saes, advance));
    for (double number : numbers) {
      if (!Double.isFinite(number)) {
        throw new IllegalStateException(
            "a number of row "
                + row
                + " is not finite; the SAEs' or the model's weights are damaged");
      }
    }
    return numbers;
  }

  /** Returns what SAEs write. */
  private List<HookPoint> points() {
    return List.copyOf(sizes.byPoint().keySet());
  }

  /** Returns what SAEs read, and whose norms are measured. */
  private HookPoint[] reads() {
    return Stream.concat(
            named.stream().map(sae -> sae.sae().config().point()), sizes.points().stream())
        .distinct()
        .toArray(HookPoint[]::new);
  }

  private void norms(double[] numbers, ActivationCache cache) {
    List<HookPoint> points = sizes.points();
    for (int p = 0; p < points.size(); p++) {
      double[] squares = squares(cache.get(points.get(p)));
      for (int pos = 0; pos < squares.length; pos++) {
        numbers[layout.index("norm", p, pos == 0 ? 0 : 1)] += Math.sqrt(squares[pos]);
      }
    }
  }

  /** Measures all SAEs that write one point: the clean run and the zero ablation are shared. */
  private void point(double[] numbers, WrittenRun run, List<Integer> saes, IntConsumer progress) {
    int predictions = run.tokens().length(0) - 1;
    try (WrittenRun base = run) {
      numbers[layout.index("clean_ce")] = sum(base.crossEntropyNats().row(0));
      Tensor zero = Tensor.zeros(base.activation().shape());
      double zeroCe = sum(base.continueWith(List.of(zero)).crossEntropyNats().row(0));
      progress.accept(1);
      for (int s : saes) {
        numbers[layout.index("zero_ce", s)] = zeroCe;
        error(numbers, s, base);
        for (Order order : Order.values()) {
          remove(numbers, s, order, base, zeroCe / predictions);
          progress.accept(sizes.removed().length);
        }
      }
    }
  }

  private void error(double[] numbers, int s, WrittenRun base) {
    NamedSae sae = named.get(s);
    Tensor x = base.activation();
    Tensor input = base.cache().get(sae.sae().config().point());
    Tensor output = sae.sae().reconstruct(input).reshape(x.shape());
    double[] norms = squares(x);
    double[] errors = squares(output.minus(x));
    for (int pos = 0; pos < norms.length; pos++) {
      int part = pos == 0 ? 0 : 1;
      add(numbers, s, Error.SQUARED, part, errors[pos]);
      add(numbers, s, Error.RELATIVE, part, errors[pos] / norms[pos]);
      add(numbers, s, Error.SQUARED_NORM, part, norms[pos]);
    }
  }

  private void add(double[] numbers, int s, Error error, int part, double value) {
    numbers[layout.index("error", s, error.ordinal(), part)] += value;
  }

  private void remove(double[] numbers, int s, Order order, WrittenRun base, double zeroCeNats) {
    int[] removed =
        IntStream.range(0, sizes.removed().length).map(k -> sizes.removed(s, k)).toArray();
    List<Step> steps =
        FeatureRemoval.measure(
            base, named.get(s).sae(), zeroCeNats, counts.order(s, order), removed);
    int length = base.tokens().length(0);
    for (int k = 0; k < removed.length; k++) {
      numbers[layout.index("l0", s, order.ordinal(), k)] = steps.get(k).l0() * length;
      numbers[layout.index("ce", s, order.ordinal(), k)] = steps.get(k).ceNats() * (length - 1);
    }
  }

  private static double sum(double... values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  /** Returns ‖v‖² at every position of the only row, of all heads together: [pos]. */
  private static double[] squares(Tensor vectors) {
    float[] values = vectors.toArray();
    double[] squares = new double[vectors.shape().size(dev.resid.tensor.Axis.POS)];
    int d = values.length / squares.length;
    for (int i = 0; i < values.length; i++) {
      squares[i / d] += (double) values[i] * values[i];
    }
    return squares;
  }
}
