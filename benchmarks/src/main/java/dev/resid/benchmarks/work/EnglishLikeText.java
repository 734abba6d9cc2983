package dev.resid.benchmarks.work;

import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Text with the statistics that decide a tokenizer's speed: words drawn by Zipf's law from a
 * lexicon of 30,000, so that few make up most of the text and many occur once; the rarer the
 * longer; commas, full stops, capitals, numbers, paragraphs. The words are syllables, not English.
 */
public final class EnglishLikeText {
  private static final int LEXICON = 30_000;
  private static final String[] ONSETS =
      "b c d f g h l m n p r s t v w st tr pl gr ch sh th br qu".split(" ");
  private static final String[] RHYMES =
      "a e i o u an en in on er or al ing ed ea ou ight ent ion at it is us".split(" ");

  private EnglishLikeText() {}

  /** Returns a text of at least so many characters, the same each time. */
  public static String ofLength(int chars) {
    SplittableRandom random = new SplittableRandom(11);
    String[] lexicon = new String[LEXICON];
    double[] cumulative = new double[LEXICON];
    double total = 0;
    for (int rank = 0; rank < LEXICON; rank++) {
      int syllables = 1 + (int) (random.nextDouble() * Math.log10(rank + 10.0));
      StringBuilder word = new StringBuilder();
      for (int i = 0; i < syllables; i++) {
        word.append(ONSETS[random.nextInt(ONSETS.length)]);
        word.append(RHYMES[random.nextInt(RHYMES.length)]);
      }
      lexicon[rank] = word.toString();
      total += 1.0 / (rank + 2.7); // Mandelbrot's correction for the most frequent words
      cumulative[rank] = total;
    }
    StringBuilder text = new StringBuilder(chars + 64);
    boolean beginning = true;
    while (text.length() < chars) {
      String word = lexicon[rankOf(random.nextDouble() * total, cumulative)];
      if (random.nextInt(60) == 0) {
        word = Integer.toString(random.nextInt(3000));
      }
      text.append(
          beginning ? word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1) : word);
      beginning = random.nextInt(16) == 0;
      text.append(beginning ? "." : random.nextInt(12) == 0 ? "," : "");
      text.append(beginning && random.nextInt(6) == 0 ? "\n\n" : " ");
    }
    return text.toString();
  }

  private static int rankOf(double draw, double[] cumulative) {
    int low = 0;
    int high = cumulative.length - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (cumulative[middle] < draw) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
