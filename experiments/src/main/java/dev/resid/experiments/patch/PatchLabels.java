package dev.resid.experiments.patch;

import dev.resid.experiments.result.Settings;
import dev.resid.model.Gpt2;
import java.util.ArrayList;
import java.util.List;

/**
 * How pairs and positions are called in tables and figures.
 *
 * @param pairs short texts of the pairs
 * @param answers what each pair's readout is
 * @param positions by pair, names of its positions
 * @param common names of the positions that all pairs share; empty if their lengths differ
 */
record PatchLabels(
    List<String> pairs, List<String> answers, List<List<String>> positions, List<String> common) {

  static PatchLabels of(Gpt2 gpt2, List<TokenPair> pairs) {
    List<String> names = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    List<List<String>> positions = new ArrayList<>();
    for (TokenPair pair : pairs) {
      List<String> row = new ArrayList<>();
      StringBuilder text = new StringBuilder();
      for (int pos = 0; pos < pair.length(); pos++) {
        String clean = text(gpt2, pair.clean().id(0, pos));
        String corrupted = text(gpt2, pair.corrupted().id(0, pos));
        String both = clean.equals(corrupted) ? clean : clean + "/" + corrupted;
        row.add(both.strip());
        boolean special =
            gpt2.hasTokenizer() && gpt2.tokenizer().isSpecial(pair.clean().id(0, pos));
        text.append(special ? "" : both);
      }
      positions.add(row);
      names.add(text.toString().strip());
      answers.add(text(gpt2, pair.answer()).strip() + " − " + text(gpt2, pair.against()).strip());
    }
    return new PatchLabels(names, answers, positions, common(positions));
  }

  /** Returns what the results of pairs need besides numbers. */
  Settings notes(PatchLayout sizes) {
    return new Settings()
        .with("layers", sizes.layers())
        .with("heads", sizes.heads())
        .with("positions", sizes.positions())
        .with("pair_names", pairs)
        .with("pair_answers", answers)
        .with("pair_lengths", positions.stream().mapToDouble(List::size).toArray())
        .with("position_names", positions.stream().flatMap(List::stream).toList());
  }

  /** Returns the names that {@link #notes} wrote down. */
  static PatchLabels of(Settings notes) {
    List<String> names = notes.list("position_names");
    List<List<String>> positions = new ArrayList<>();
    int from = 0;
    for (double length : notes.numbers("pair_lengths")) {
      positions.add(names.subList(from, from + (int) length));
      from += (int) length;
    }
    return new PatchLabels(
        notes.list("pair_names"), notes.list("pair_answers"), positions, common(positions));
  }

  private static String text(Gpt2 gpt2, int id) {
    if (!gpt2.hasTokenizer()) {
      return " " + id;
    }
    if (gpt2.tokenizer().isSpecial(id)) {
      return "begin";
    }
    return gpt2.tokenizer().text(id).replaceAll("\\s", " ");
  }

  private static List<String> common(List<List<String>> positions) {
    List<String> names = new ArrayList<>();
    List<String> first = positions.getFirst();
    for (int pos = 0; pos < first.size(); pos++) {
      for (List<String> row : positions) {
        if (row.size() != first.size()) {
          return List.of();
        }
      }
      int at = pos;
      boolean same = positions.stream().allMatch(row -> row.get(at).equals(first.get(at)));
      names.add(same ? first.get(pos) : "(" + pos + ")");
    }
    return names;
  }
}
