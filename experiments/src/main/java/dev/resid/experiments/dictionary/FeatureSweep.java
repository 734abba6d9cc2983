package dev.resid.experiments.dictionary;

import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.dictionary.FeatureAblation;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureLens;
import dev.resid.sae.dictionary.TokenMask;
import dev.resid.tensor.Axis;
import dev.resid.tokenizer.TokenBatch;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Looks at single features. */
final class FeatureSweep {
  /** Most active examples that those of the bins are compared with. */
  static final int TOP = 8;

  /** Tokens at the end of the logit lens that the source shows. */
  static final int LENS_TOKENS = 20;

  /** A feature is taken out of at most so many rows in which it is active. */
  static final int ABLATED_ROWS = 4;

  private static final RowLayout LAYOUT = FeatureLayout.VALUES;

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final FeatureSample sample;
  private final Progress progress;
  private final BitSet masked;
  private final FeatureLens lens;
  private final TextAblation texts;

  FeatureSweep(Gpt2 gpt2, DictionaryOptions options, FeatureSample sample, Progress progress) {
    this.gpt2 = gpt2;
    this.options = options;
    this.sample = sample;
    this.progress = progress;
    this.masked = TokenMask.outliers(gpt2).masked();
    // Without a mask: what it leaves out is counted here.
    this.lens =
        new FeatureLens(
            gpt2, TokenMask.outside(gpt2, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY));
    this.texts = new TextAblation(gpt2, options.seed());
  }

  /** Returns the numbers of a unit; zeros if it is empty. */
  double[] compute(int unit) {
    double[] numbers = new double[LAYOUT.count()];
    if (sample.units().has(unit)) {
      FeatureActivations activations = sample.activations(unit, progress);
      int number = sample.units().sae(unit);
      Sae sae = options.saes().get(number).sae();
      numbers[LAYOUT.index("present")] = 1;
      examples(numbers, activations);
      lens(numbers, sae, activations);
      texts.measure(numbers, sae, number, activations);
      ablation(numbers, sae, activations, unit);
      requireFinite(numbers, options.saes().get(number), activations.feature());
    }
    return numbers;
  }

  private static void requireFinite(double[] numbers, NamedSae sae, int feature) {
    if (!Arrays.stream(numbers).allMatch(Double::isFinite)) {
      throw new IllegalStateException(
          "a number of feature "
              + feature
              + " of "
              + sae.name()
              + " is not finite; the SAE's or the model's weights are damaged");
    }
  }

  /** Do examples of every height show the tokens that the most active ones show? */
  private void examples(double[] numbers, FeatureActivations activations) {
    List<Example> top = activations.top(TOP);
    List<Example> binned = activations.binned(FeatureLayout.BINS, options.seed());
    if (top.size() > 1 && binned.size() > 1) {
      numbers[LAYOUT.index("agreement_top")] = agreement(top);
      numbers[LAYOUT.index("agreement_bins")] = agreement(binned);
      numbers[LAYOUT.index("agreement_n")] = 1;
    }
    Set<Integer> tokens = new HashSet<>();
    top.forEach(example -> tokens.add(token(example)));
    for (Example example : binned) {
      if (!top.contains(example)) {
        int bin =
            (int) Math.ceil(example.activation() / activations.largest() * FeatureLayout.BINS) - 1;
        int within = Math.clamp(bin, 0, FeatureLayout.BINS - 1);
        numbers[LAYOUT.index("bin_hits", within)] += tokens.contains(token(example)) ? 1 : 0;
        numbers[LAYOUT.index("bin_n", within)]++;
      }
    }
  }

  private int token(Example example) {
    return options.tokens().id(example.row(), example.pos());
  }

  /** Returns the share of pairs that have the same token. */
  private double agreement(List<Example> examples) {
    int same = 0;
    int pairs = 0;
    for (int i = 0; i < examples.size(); i++) {
      for (int j = i + 1; j < examples.size(); j++) {
        same += token(examples.get(i)) == token(examples.get(j)) ? 1 : 0;
        pairs++;
      }
    }
    return (double) same / pairs;
  }

  /** Does the logit lens know what follows where the feature is active? */
  private void lens(double[] numbers, Sae sae, FeatureActivations activations) {
    if (!FeatureLens.appliesTo(sae.config().outputPoint())) {
      return;
    }
    int feature = activations.feature();
    double[] logits =
        lens.logits(
            sae.config().outputPoint(),
            sae.weights().get(SaeWeight.W_dec).slice(Axis.D_SAE, feature, feature + 1).toArray());
    numbers[LAYOUT.index("masked_in_top")] =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer v) -> -logits[v]))
            .limit(LENS_TOKENS)
            .filter(masked::get)
            .count();
    double[] scores = standardised(logits);
    double[] sums = new double[2];
    int[] counts = new int[2];
    TokenBatch tokens = options.tokens();
    for (int row = 0; row < tokens.rows(); row++) {
      float[] values = activations.row(row);
      for (int pos = 0; pos + 1 < values.length; pos++) {
        int next = tokens.id(row, pos + 1);
        if (!masked.get(next)) {
          int on = values[pos] != 0 ? 1 : 0;
          sums[on] += scores[next];
          counts[on]++;
        }
      }
    }
    if (counts[0] > 0 && counts[1] > 0) {
      numbers[LAYOUT.index("lens")] = sums[1] / counts[1] - sums[0] / counts[0];
      numbers[LAYOUT.index("lens_n")] = 1;
    }
  }

  /** Returns the logits less their mean, in standard deviations, both over unmasked tokens. */
  private double[] standardised(double[] logits) {
    double[] kept =
        IntStream.range(0, logits.length)
            .filter(v -> !masked.get(v))
            .mapToDouble(v -> logits[v])
            .toArray();
    double mean = Arrays.stream(kept).average().orElse(0);
    double deviation =
        Math.sqrt(Arrays.stream(kept).map(v -> (v - mean) * (v - mean)).average().orElse(1));
    return Arrays.stream(logits).map(v -> deviation == 0 ? 0 : (v - mean) / deviation).toArray();
  }

  /** What does the feature do for the prediction, where it is active and elsewhere? */
  private void ablation(double[] numbers, Sae sae, FeatureActivations activations, int unit) {
    TokenBatch tokens = options.tokens();
    int[] candidates =
        IntStream.range(0, tokens.rows()).filter(row -> isActive(activations.row(row))).toArray();
    if (candidates.length == 0) {
      return;
    }
    int[] rows =
        Arrays.stream(
                new CounterRandom(options.seed())
                    .permutation(candidates.length, DrawKeys.DICTIONARY_ROWS.stream(unit), 0))
            .limit(ABLATED_ROWS)
            .map(i -> candidates[i])
            .sorted()
            .toArray();
    double[][] change =
        FeatureAblation.logProbChangeNats(
            gpt2,
            sae,
            TokenBatch.of(Arrays.stream(rows).mapToObj(tokens::row).toList()),
            activations.feature());
    double[] sums = new double[2];
    int[] counts = new int[2];
    for (int r = 0; r < rows.length; r++) {
      float[] values = activations.row(rows[r]);
      for (int pos = 0; pos < change[r].length; pos++) {
        int on = values[pos] != 0 ? 1 : 0;
        sums[on] += change[r][pos];
        counts[on]++;
      }
    }
    double effect = sums[1] / counts[1];
    numbers[LAYOUT.index("effect")] = sums[1];
    numbers[LAYOUT.index("effect_n")] = counts[1];
    numbers[LAYOUT.index("elsewhere")] = sums[0];
    numbers[LAYOUT.index("elsewhere_n")] = counts[0];
    if (numbers[LAYOUT.index("lens_n")] > 0) {
      double x = numbers[LAYOUT.index("lens")];
      double[] products = {1, x, effect, x * x, effect * effect, x * effect};
      System.arraycopy(products, 0, numbers, LAYOUT.index("products", 0), products.length);
    }
  }

  /** Returns whether the feature is active at a position that predicts a token of the row. */
  private static boolean isActive(float... values) {
    for (int pos = 0; pos + 1 < values.length; pos++) {
      if (values[pos] != 0) {
        return true;
      }
    }
    return false;
  }
}
