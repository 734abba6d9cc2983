package dev.resid.experiments.dictionary;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Card;
import dev.resid.experiments.report.Section.CardGroup;
import dev.resid.experiments.report.Section.Cards;
import dev.resid.experiments.report.Section.Flow;
import dev.resid.experiments.report.Section.Focus;
import dev.resid.experiments.report.Section.Word;
import dev.resid.experiments.report.Section.WordLine;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.SaeFacts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Single features as people read them: tokens they promote, where they are active, and why. */
final class FeatureCards {
  /** Tokens of the logit lens that are shown; the file has more. */
  private static final int TOKENS = 10;

  /** Texts of the most active examples that are shown. */
  private static final int EXAMPLES = 2;

  private final Settings notes;
  private final FeatureUnits units;
  private final FeatureMeans means;

  FeatureCards(Settings notes, FeatureMeans means) {
    this.notes = notes;
    this.units = means.units();
    this.means = means;
  }

  /** Returns the cards of all features, by SAE. */
  Cards section() {
    Map<Integer, List<Card>> saes = new LinkedHashMap<>();
    int[] filled = units.filled();
    for (int i = 0; i < filled.length; i++) {
      saes.computeIfAbsent(units.sae(filled[i]), sae -> new ArrayList<>()).add(card(filled[i], i));
    }
    List<SaeFacts> facts = SaeFacts.of(notes);
    List<CardGroup> groups = new ArrayList<>();
    saes.forEach((sae, cards) -> groups.add(new CardGroup(facts.get(sae).name(), cards)));
    return new Cards(
        "Feature by feature: tokens and texts",
        "Unfold an SAE. Promoted and suppressed tokens: the stronger the colour, the larger the"
            + " share of the largest logit. Ablated text: orange tokens are those without which the"
            + " activation at the last token falls, blue those without which it rises; point at one"
            + " to read by how much. The token with an outline is where the feature is active.",
        groups);
  }

  private Card card(int unit, int number) {
    List<WordLine> lines = new ArrayList<>();
    int promoted = (int) notes.whole("lens_" + unit + "_promoted");
    double[] logits = notes.numbers("lens_" + unit + "_logit");
    List<String> texts = notes.list("lens_" + unit + "_text");
    if (logits.length > 0) {
      lines.add(new WordLine("promotes", Flow.LIST, lens(texts, logits, 0, promoted)));
      lines.add(
          new WordLine("suppresses", Flow.LIST, lens(texts, logits, promoted, logits.length)));
    }
    int bins = (int) notes.whole("examples_" + unit + "_bins");
    List<String> examples = notes.list("examples_" + unit + "_text");
    double[] activations = notes.numbers("examples_" + unit + "_activation");
    for (int i = bins; i < Math.min(examples.size(), bins + EXAMPLES); i++) {
      lines.add(
          new WordLine(
              "active, " + Numbers.significant(activations[i], 3),
              Flow.TEXT,
              example(examples.get(i))));
    }
    ablated(unit, lines);
    String facts =
        "active on "
            + Numbers.grouped((long) notes.numbers("feature_active")[number])
            + " tokens, largest activation "
            + Numbers.significant(notes.numbers("feature_largest")[number], 3)
            + (means.get(unit, "effect_n") == 0
                ? ""
                : "; without it ln p of the next token changes by "
                    + Numbers.significant(means.ratio(unit, "effect", "effect_n"), 2)
                    + " nats where it is active");
    return new Card("Feature " + units.feature(unit), facts, lines);
  }

  private static List<Word> lens(List<String> texts, double[] logits, int from, int to) {
    double largest = 0;
    for (double logit : logits) {
      largest = Math.max(largest, Math.abs(logit));
    }
    List<Word> words = new ArrayList<>();
    for (int i = from; i < Math.min(to, from + TOKENS); i++) {
      words.add(
          new Word(
              visible(texts.get(i)),
              largest == 0 ? 0 : logits[i] / largest,
              "logit " + Numbers.significant(logits[i], 3),
              Focus.ELSEWHERE));
    }
    return words;
  }

  /** Returns a token by itself, with its spaces to be seen. */
  private static String visible(String token) {
    return token.isEmpty() ? "·" : token.replace(' ', '␣').replace('\t', '⇥');
  }

  private static List<Word> example(String text) {
    int from = text.indexOf('⟦');
    int to = text.indexOf('⟧');
    if (from < 0 || to < from) {
      return List.of(plain(text));
    }
    return List.of(
        plain(text.substring(0, from)),
        new Word(text.substring(from + 1, to), 0, "", Focus.HERE),
        plain(text.substring(to + 1)));
  }

  private static Word plain(String text) {
    return new Word(text, 0, "", Focus.ELSEWHERE);
  }

  private void ablated(int unit, List<WordLine> lines) {
    List<String> tokens = notes.list("ablated_" + unit);
    int scored = (int) means.get(unit, "shown_n");
    if (scored == 0 || scored != tokens.size()) {
      return;
    }
    List<Word> words = new ArrayList<>();
    for (int i = 0; i < scored; i++) {
      double share = means.get(unit, "shown", i);
      words.add(
          new Word(
              tokens.get(i),
              share,
              "without it " + Numbers.significant(share, 2) + " of the activation",
              i == scored - 1 ? Focus.HERE : Focus.ELSEWHERE));
    }
    lines.add(new WordLine("ablated text", Flow.TEXT, words));
  }
}
