package dev.resid.experiments.dictionary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.dictionary.DictionaryOptions.Atoms;
import dev.resid.experiments.direction.NamedSae;
import dev.resid.experiments.sweep.Workers;
import dev.resid.experiments.testing.TinyModel;
import dev.resid.experiments.testing.TinySaes;
import dev.resid.hook.HookPoint;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.SaeWeight;
import dev.resid.sae.metric.FeatureRemoval.Order;
import dev.resid.tensor.Axis;
import dev.resid.tensor.Backend;
import dev.resid.tensor.Tensor;
import dev.resid.tokenizer.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DictionaryStudyTest {
  private static final TokenBatch TOKENS = TinyModel.tokens(9, 6, 3);
  private static final HookPoint POINT = HookPoint.residPre(1);

  /** An uninterrupted run. */
  @TempDir private static Path whole;

  @TempDir private Path temporary;

  @BeforeAll
  static void runOnce() throws IOException {
    run(whole, Progress.none());
  }

  /** T27 of the definitions, with cross-entropies of plain forward passes. */
  @Test
  void noneRemovedIsTheSaeAndAllRemovedIsItsBias() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      Gpt2 gpt2 = TinyModel.on(backend);
      NamedSae sae = TinySaes.both().getFirst();
      float[] bias = sae.sae().weights().get(SaeWeight.b_dec).toArray();
      double clean = 0;
      double full = 0;
      double empty = 0;
      double zero = 0;
      for (int row = 0; row < TOKENS.rows(); row++) {
        TokenBatch one = TOKENS.slice(row, row + 1);
        clean += sum(gpt2.forward(one).logits(), one);
        full +=
            sum(
                gpt2.forward(one, POINT.replace((x, at) -> sae.sae().reconstruct(x))).logits(),
                one);
        empty += sum(gpt2.forward(one, POINT.replace((x, at) -> repeated(x, bias))).logits(), one);
        zero += sum(gpt2.forward(one, POINT.replace((x, at) -> x.times(0))).logits(), one);
      }
      int n = TOKENS.tokenCount() - TOKENS.rows();
      String[] first = line("removal.csv", "few,frequency,0,").split(",");
      String[] last = line("removal.csv", "few,frequency,48,").split(",");
      assertEquals(2, Double.parseDouble(first[3]));
      assertEquals(0, Double.parseDouble(last[3]));
      assertEquals(full / n, Double.parseDouble(first[4]), 1e-5);
      assertEquals(empty / n, Double.parseDouble(last[4]), 1e-5);
      assertEquals((zero - full) / (zero - clean), Double.parseDouble(first[5]), 1e-4);
    }
  }

  private static Tensor repeated(Tensor x, float... vector) {
    float[] values = x.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] = vector[i % vector.length];
    }
    return Tensor.wrap(x.shape(), values);
  }

  private static double sum(Tensor logits, TokenBatch one) {
    double sum = 0;
    for (int pos = 0; pos < one.length(0) - 1; pos++) {
      float[] values = logits.at(Axis.POS, pos).toArray();
      double exponentials = 0;
      for (float value : values) {
        exponentials += Math.exp(value);
      }
      sum += Math.log(exponentials) - values[one.id(0, pos + 1)];
    }
    return sum;
  }

  /** The other part of T27: what is left is L0 less the frequencies of what was removed. */
  @Test
  void eachRemovedFeatureTakesItsFrequencyAway() throws IOException {
    try (Backend backend = TinyModel.backend(1)) {
      FeatureCounts counts =
          FeatureCounts.of(TinyModel.on(backend), TOKENS, TinySaes.both(), Progress.none());
      for (int s = 0; s < 2; s++) {
        for (Order order : Order.values()) {
          long[] active = counts.active(s);
          int[] sequence = counts.order(s, order);
          String start =
              TinySaes.both().get(s).name()
                  + ","
                  + order.name().toLowerCase(java.util.Locale.ROOT)
                  + ",";
          double l0 = Arrays.stream(active).sum();
          for (int k = 0; k < 4; k++) {
            assertEquals(
                l0 / TOKENS.tokenCount(),
                Double.parseDouble(line("removal.csv", start + k + ",").split(",")[3]),
                1e-12);
            l0 -= active[sequence[k]];
            k = k == 2 ? 3 : k; // 3 is no step
          }
        }
        long[] active = counts.active(s);
        int[] sequence = counts.order(s, Order.FREQUENCY);
        for (int i = 1; i < sequence.length; i++) {
          assertTrue(active[sequence[i]] <= active[sequence[i - 1]]);
        }
      }
    }
  }

  /** T28 of the definitions: one-to-one is never above the nearest; here against plain loops. */
  @Test
  void cosinesAreThoseOfAllPairs() throws IOException {
    float[] a = unit(TinySaes.both().getFirst().sae().weights().get(SaeWeight.W_dec));
    float[] b = unit(TinySaes.both().getLast().sae().weights().get(SaeWeight.W_dec));
    int d = TinyModel.CONFIG.dModel();
    double mean = 0;
    for (int i = 0; i < a.length; i += d) {
      double best = -1;
      for (int j = 0; j < b.length; j += d) {
        double cosine = 0;
        for (int c = 0; c < d; c++) {
          cosine += (double) a[i + c] * b[j + c];
        }
        best = Math.max(best, cosine);
      }
      mean += best * d / a.length;
    }
    String[] cells = line("cosines.csv", "few,many,").split(",");
    assertEquals(mean, Double.parseDouble(cells[4]), 1e-6);
    String[] assigned = line("one-to-one.csv", "few,many,").split(",");
    assertTrue(Double.parseDouble(assigned[3]) <= mean);
    assertEquals(48, Integer.parseInt(assigned[2]));
  }

  @Test
  void histogramsHaveEveryFeature() throws IOException {
    int alive = Integer.parseInt(line("cosines.csv", "few,few,").split(",")[2]);
    int other = Integer.parseInt(line("cosines.csv", "many,many,").split(",")[2]);
    // One SAE a family: nothing is a neighbour in L0, and each is compared with itself.
    assertFalse(Files.exists(whole.resolve("figures/cosine-histogram-neighbours.svg")));
    Matcher bins =
        Pattern.compile("<title>[^<]* to [^<]*: ([0-9.]+)</title>")
            .matcher(Files.readString(whole.resolve("figures/cosine-histogram-within.svg")));
    double features = 0;
    while (bins.find()) {
      features += Double.parseDouble(bins.group(1));
    }
    assertEquals(alive + other, features);
  }

  private static float[] unit(Tensor rows) {
    float[] values = rows.toArray();
    int d = rows.shape().last();
    for (int i = 0; i < values.length; i += d) {
      double square = 0;
      for (int c = 0; c < d; c++) {
        square += (double) values[i + c] * values[i + c];
      }
      for (int c = 0; c < d; c++) {
        values[i + c] = (float) (values[i + c] / Math.sqrt(square));
      }
    }
    return values;
  }

  @Test
  void anInterruptedRunEndsInTheSameNumbers() throws IOException {
    Path folder = temporary.resolve("interrupted");
    assertThrows(IllegalStateException.class, () -> run(folder, interruptedAfter(5)));
    assertFalse(Files.exists(folder.resolve("removal.csv")));
    run(folder, Progress.none());
    for (String file : List.of("removal.csv", "cosines.csv", "saes.csv", "report.html")) {
      assertEquals(
          Files.readString(whole.resolve(file)), Files.readString(folder.resolve(file)), file);
    }
  }

  @Test
  void aRunWithoutSaesIsRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> DictionaryOptions.of(TOKENS, "random", List.of()))
            .getMessage();
    assertTrue(message.contains("name one with --sae"), message);
  }

  private static String line(String file, String start) throws IOException {
    return Files.readAllLines(whole.resolve(file)).stream()
        .filter(l -> l.startsWith(start))
        .findFirst()
        .orElseThrow();
  }

  private static Progress interruptedAfter(int reports) {
    int[] left = {reports};
    return (name, unit, done, total) ->
        new Progress.Task() {
          @Override
          public void advanceTo(long count) {
            if (left[0]-- == 0) {
              throw new IllegalStateException("interrupted");
            }
          }

          @Override
          public void detail(String text) {}

          @Override
          public void close() {}
        };
  }

  private static void run(Path folder, Progress progress) throws IOException {
    try (Backend backend = TinyModel.backend(1);
        Workers workers = new Workers(2)) {
      DictionaryOptions options =
          new DictionaryOptions(
              TOKENS,
              "random tokens",
              TinySaes.both(),
              java.util.EnumSet.allOf(DictionaryOptions.Part.class),
              3,
              4,
              Atoms.ALL,
              64,
              1);
      new DictionaryStudy(TinyModel.on(backend), options).run(folder, progress, workers);
    }
  }
}
