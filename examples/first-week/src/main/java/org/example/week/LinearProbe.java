package org.example.week;

import static dev.resid.hook.HookPoint.residPre;
import static dev.resid.tensor.Axis.D_MODEL;

import dev.resid.backend.Backends;
import dev.resid.experiments.text.Documents;
import dev.resid.experiments.text.RowPacker;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the stream before a block knows: a logistic regression that tells whether there was a comma
 * one or two tokens ago. Every fourth row is kept for the test.
 */
public final class LinearProbe {
  private static final int ROWS_AT_ONCE = 8;
  private static final int EPOCHS = 4;
  private static final double RATE = 0.2;

  private final double[] w;
  private double bias;

  private LinearProbe(int width) {
    this.w = new double[width];
  }

  /** An activation of norm about 1, and whether it is one of those that are looked for. */
  private record Sample(float[] x, boolean positive) {}

  public static void main(String[] args) throws IOException {
    try (Backend backend = Backends.fastest()) {
      System.out.print(table(Gpt2.embedded(backend), 96));
    }
  }

  static String table(Gpt2 gpt2, int rows) throws IOException {
    TokenBatch tokens;
    try (Documents text = Documents.embedded()) {
      int bos = gpt2.beginOfText().orElseThrow();
      tokens = RowPacker.pack(text, gpt2.tokenizer(), bos, 64, rows);
    }
    StringBuilder table = new StringBuilder("told rightly, commas and others counting alike\n");
    for (int layer = 0; layer < gpt2.config().nLayers(); layer++) {
      List<Sample> train = new ArrayList<>();
      List<Sample> test = new ArrayList<>();
      collect(gpt2, tokens, layer, train, test);
      LinearProbe probe = new LinearProbe(gpt2.config().dModel());
      probe.learn(train);
      table.append(String.format(Locale.ROOT, "%s  %.3f%n", residPre(layer), probe.right(test)));
    }
    return table.toString();
  }

  /** Runs some rows at a time, no further than the block, and keeps what stands at each token. */
  private static void collect(
      Gpt2 gpt2, TokenBatch tokens, int layer, List<Sample> train, List<Sample> test) {
    int comma = gpt2.tokenizer().singleToken(",");
    for (int from = 0; from < tokens.rows(); from += ROWS_AT_ONCE) {
      TokenBatch part = tokens.slice(from, Math.min(tokens.rows(), from + ROWS_AT_ONCE));
      Tensor x = gpt2.capture(part, residPre(layer).capture()).get(residPre(layer));
      float[] values = x.times(1 / x.norm(D_MODEL).get(0, 1)).toArray();
      int width = x.shape().last();
      for (int row = 0; row < part.rows(); row++) {
        for (int pos = 2; pos < part.length(row); pos++) {
          float[] one = new float[width];
          System.arraycopy(values, (row * part.maxLength() + pos) * width, one, 0, width);
          boolean before = part.id(row, pos - 1) == comma || part.id(row, pos - 2) == comma;
          ((from + row) % 4 == 3 ? test : train).add(new Sample(one, before));
        }
      }
    }
  }

  private void learn(List<Sample> samples) {
    long positive = samples.stream().filter(Sample::positive).count();
    double rarity = (double) (samples.size() - positive) / positive;
    CounterRandom random = new CounterRandom(1);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      for (int i : random.permutation(samples.size(), 0, epoch)) {
        Sample sample = samples.get(i);
        double p = 1 / (1 + Math.exp(-score(sample)));
        double step = RATE * (sample.positive ? rarity * (1 - p) : -p);
        bias += step;
        for (int c = 0; c < w.length; c++) {
          w[c] += step * sample.x[c];
        }
      }
    }
  }

  private double score(Sample sample) {
    double score = bias;
    for (int c = 0; c < w.length; c++) {
      score += w[c] * sample.x[c];
    }
    return score;
  }

  private double right(List<Sample> samples) {
    int[] all = new int[2];
    int[] right = new int[2];
    for (Sample sample : samples) {
      int kind = sample.positive ? 1 : 0;
      all[kind]++;
      right[kind] += score(sample) > 0 == sample.positive ? 1 : 0;
    }
    return 0.5 * right[0] / all[0] + 0.5 * right[1] / all[1];
  }
}
