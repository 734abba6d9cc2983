package dev.resid.experiments.language;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.Estimates;
import dev.resid.experiments.study.Estimates.Estimate;
import dev.resid.experiments.study.RowLayout;
import dev.resid.experiments.study.SaeFacts;
import dev.resid.experiments.sweep.RowValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The numbers of a complete run by name. */
final class ClozeResult {
  private final List<SaeFacts> saes;
  private final List<Prompt> prompts;
  private final RowLayout layout;
  private final RowValues values;
  private final Estimates estimates;

  ClozeResult(Settings notes, RowValues values, Estimates estimates) {
    this.saes = SaeFacts.of(notes);
    this.prompts = prompts(notes);
    this.layout = ClozeLayout.of(saes.size());
    this.values = values;
    this.estimates = estimates;
  }

  /**
   * What tables say of a prompt.
   *
   * @param text its end and the answer
   * @param length its tokens
   * @param cut tokens that were left out
   */
  record Prompt(String text, int length, int cut) {}

  /** Returns what the results need besides numbers. */
  static Settings notes(ClozeOptions options) {
    List<ClozePrompt> prompts = options.prompts();
    return SaeFacts.notes(options.saes())
        .with("prompt_text", prompts.stream().map(ClozePrompt::text).toList())
        .with("prompt_length", prompts.stream().mapToDouble(ClozePrompt::length).toArray())
        .with("prompt_cut", prompts.stream().mapToDouble(ClozePrompt::cut).toArray());
  }

  private static List<Prompt> prompts(Settings notes) {
    List<String> texts = notes.list("prompt_text");
    double[] lengths = notes.numbers("prompt_length");
    double[] cut = notes.numbers("prompt_cut");
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      prompts.add(new Prompt(texts.get(i), (int) lengths[i], (int) cut[i]));
    }
    return List.copyOf(prompts);
  }

  int prompts() {
    return values.rows();
  }

  List<SaeFacts> saes() {
    return saes;
  }

  Prompt prompt(int row) {
    return prompts.get(row);
  }

  /** Returns how many prompts were too long. */
  long cut() {
    return prompts.stream().filter(prompt -> prompt.cut() > 0).count();
  }

  double get(int row, String name, int... at) {
    return values.get(row, layout.index(name, at));
  }

  Estimates estimates() {
    return estimates;
  }

  int column(String name, int... at) {
    return layout.index(name, at);
  }

  Estimate mean(String name, int... at) {
    return estimates.mean(layout.index(name, at));
  }

  /** Returns the mean cross-entropy with an SAE, or of the clean run for −1: over prompts. */
  double crossEntropy(int row, int sae) {
    double sum = sae < 0 ? get(row, ClozeLayout.CE_SUM) : get(row, ClozeLayout.SAE_CE_SUM, sae);
    return sum / get(row, ClozeLayout.CE_COUNT);
  }

  /** Returns the mean over all counted positions of the cross-entropy's increase. */
  Estimate deltaCrossEntropy(int sae) {
    int delta = layout.index(ClozeLayout.DELTA_CE_SUM, sae);
    int count = layout.index(ClozeLayout.CE_COUNT);
    return estimates.of(sums -> sums[delta] / sums[count]);
  }

  /** Returns a prompt's mean of the cross-entropy's increase over its counted positions. */
  double deltaCrossEntropy(int row, int sae) {
    return get(row, ClozeLayout.DELTA_CE_SUM, sae) / get(row, ClozeLayout.CE_COUNT);
  }

  /** Returns the mean over all counted positions of the normalised error. */
  double normalizedMse(int sae) {
    int sum = layout.index(ClozeLayout.NORMALIZED_MSE, sae);
    int count = layout.index(ClozeLayout.POSITIONS);
    return estimates.value(sums -> sums[sum] / sums[count]);
  }

  /** Returns a mean of L0, L1, squared error or norm over positions, the first included. */
  double withFirst(int sae, int quantity) {
    int sum = layout.index(ClozeLayout.SUMS, sae, quantity);
    int count = layout.index(ClozeLayout.POSITIONS);
    return estimates.value(sums -> sums[sum] / sums[count]);
  }

  /** Returns the same without the first position. */
  double withoutFirst(int sae, int quantity) {
    int sum = layout.index(ClozeLayout.SUMS, sae, quantity);
    int first = layout.index(ClozeLayout.FIRST, sae, quantity);
    int count = layout.index(ClozeLayout.POSITIONS);
    int rows = values.rows();
    return estimates.value(sums -> (sums[sum] - sums[first]) / (sums[count] - rows));
  }

  /** Returns a prompt's mean of a quantity over its positions. */
  double ofPrompt(int row, int sae, int quantity) {
    return get(row, ClozeLayout.SUMS, sae, quantity) / get(row, ClozeLayout.POSITIONS);
  }

  /** Returns a prompt's mean of the normalised error over its positions. */
  double normalizedMse(int row, int sae) {
    return get(row, ClozeLayout.NORMALIZED_MSE, sae) / get(row, ClozeLayout.POSITIONS);
  }

  int classOf(int row, int sae) {
    for (int c = 0; c < ClozeLayout.CLASSES; c++) {
      if (get(row, ClozeLayout.CLASS, sae, c) == 1) {
        return c;
      }
    }
    throw new IllegalStateException("prompt " + row + " has no class");
  }

  double median(int sae) {
    double[] all = new double[prompts()];
    Arrays.setAll(all, row -> get(row, ClozeLayout.DELTA_LN_P, sae));
    Arrays.sort(all);
    int half = all.length / 2;
    return all.length % 2 == 1 ? all[half] : (all[half - 1] + all[half]) / 2;
  }
}
