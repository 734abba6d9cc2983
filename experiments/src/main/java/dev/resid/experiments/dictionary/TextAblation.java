package dev.resid.experiments.dictionary;

import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.sweep.DrawKeys;
import dev.resid.model.Gpt2;
import dev.resid.random.CounterRandom;
import dev.resid.sae.Sae;
import dev.resid.sae.dictionary.AblatedText;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a feature's activation at the last token of a text owes to the tokens before. */
final class TextAblation {
  /** Texts a feature: the one with the largest activation, and some drawn evenly. */
  static final int TEXTS = 3;

  /** A feature of the word before loses at least this share of its activation without it. */
  static final double PREVIOUS = 0.5;

  /** Either of two tokens is enough if neither alone takes away this share... */
  static final double ALONE = 0.1;

  /** ...and both together take away this one. */
  static final double TOGETHER = 0.5;

  private static final RowLayout LAYOUT = FeatureLayout.VALUES;

  private final Gpt2 gpt2;
  private final long seed;

  TextAblation(Gpt2 gpt2, long seed) {
    this.gpt2 = gpt2;
    this.seed = seed;
  }

  /**
   * Fills in the numbers of a feature. Changes are divided by the mean activation at the ends of
   * its texts, so that a text in which it is hardly active does not outweigh the others.
   */
  void measure(double[] numbers, Sae sae, int saeNumber, FeatureActivations activations) {
    List<Example> examples = texts(activations, saeNumber);
    List<AblatedText> texts = new ArrayList<>();
    double mean = 0;
    for (Example example : examples) {
      int[] row = activations.tokens().row(example.row());
      texts.add(
          new AblatedText(gpt2, sae, activations.feature(), Arrays.copyOf(row, example.pos() + 1)));
      mean += texts.getLast().original() / examples.size();
    }
    if (!(mean > 0)) {
      return; // no text, or all on the edge of being active, where rounding decides
    }
    for (int t = 0; t < texts.size(); t++) {
      double[] scores = texts.get(t).scores();
      if (t == 0) {
        shown(numbers, texts.getFirst().original(), scores);
      }
      distances(numbers, mean, scores);
      word(numbers, mean, texts.get(t), scores, activations.tokens().row(examples.get(t).row()));
    }
    double previous = numbers[LAYOUT.index("previous")];
    double words = numbers[LAYOUT.index("previous_n")];
    numbers[LAYOUT.index("previous_feature")] = words > 1 && previous / words <= -PREVIOUS ? 1 : 0;
    if (texts.getFirst().original() > 0 && examples.getFirst().pos() > 2) {
      numbers[LAYOUT.index("either_n")] = 1;
      numbers[LAYOUT.index("either")] = eitherIsEnough(texts.getFirst()) ? 1 : 0;
    }
  }

  private static void shown(double[] numbers, double original, double... scores) {
    if (original > 0) {
      for (int i = 0; i < scores.length; i++) {
        numbers[LAYOUT.index("shown", i)] = scores[i] / original;
      }
      numbers[LAYOUT.index("shown_n")] = scores.length;
    }
  }

  /** Position 0 begins the text; another token there is no text the model knows. */
  private static void distances(double[] numbers, double mean, double... scores) {
    int last = scores.length - 1;
    for (int i = Math.max(1, last - FeatureLayout.DISTANCES + 1); i <= last; i++) {
      numbers[LAYOUT.index("change", last - i)] += scores[i] / mean;
      numbers[LAYOUT.index("change_n", last - i)]++;
    }
  }

  private void word(double[] numbers, double mean, AblatedText text, double[] scores, int... row) {
    int last = scores.length - 1;
    int word = wordBefore(row, last);
    if (word < 1) {
      return;
    }
    double share = text.scoreWithout(word, last) / mean;
    numbers[LAYOUT.index("previous")] += share;
    numbers[LAYOUT.index("previous_n")]++;
    if (word > 1) {
      double earlier = 0;
      for (int i = 1; i < word; i++) {
        earlier += Math.abs(scores[i]) / mean / (word - 1);
      }
      numbers[LAYOUT.index("others")] += earlier;
      numbers[LAYOUT.index("contrast")] += Math.abs(share) - earlier;
      numbers[LAYOUT.index("contrast_n")]++;
    }
  }

  private static boolean eitherIsEnough(AblatedText text, double... shares) {
    double[][] pairs = text.pairScores();
    for (int i = 1; i + 1 < shares.length; i++) {
      for (int j = i + 1; j + 1 < shares.length; j++) {
        if (shares[i] > -ALONE && shares[j] > -ALONE && pairs[i][j] / text.original() < -TOGETHER) {
          return true;
        }
      }
    }
    return false;
  }

  /** Returns the ends of all texts that are short enough, the most active one first. */
  static List<Example> candidates(FeatureActivations activations) {
    return activations.top(activations.activeTokens()).stream()
        .filter(e -> e.activation() > 0 && e.pos() > 0 && e.pos() < FeatureLayout.TEXT_TOKENS)
        .toList();
  }

  /** Returns texts that are short enough, the one with the largest activation first. */
  private List<Example> texts(FeatureActivations activations, int sae) {
    List<Example> candidates = candidates(activations);
    if (candidates.size() <= TEXTS) {
      return candidates;
    }
    List<Example> texts = new ArrayList<>(List.of(candidates.getFirst()));
    int[] order =
        new CounterRandom(seed)
            .permutation(
                candidates.size() - 1,
                DrawKeys.DICTIONARY_TEXTS.stream(activations.feature()),
                sae);
    for (int i = 0; texts.size() < TEXTS; i++) {
      texts.add(candidates.get(1 + order[i]));
    }
    return texts;
  }

  /** Returns where the word before a token begins; 0 if there is none after the first token. */
  private int wordBefore(int[] row, int last) {
    int from = last - 1;
    while (from > 1 && gpt2.hasTokenizer() && !beginsWord(row[from])) {
      from--;
    }
    return Math.max(from, 0);
  }

  private boolean beginsWord(int token) {
    String text = gpt2.tokenizer().text(token);
    return !text.isEmpty() && Character.isWhitespace(text.charAt(0));
  }
}
