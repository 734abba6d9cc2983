package dev.resid.experiments.dictionary;

import dev.resid.experiments.result.Settings;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureLens;
import dev.resid.sae.dictionary.FeatureLens.TokenLogit;
import dev.resid.sae.dictionary.FeatureLens.View;
import dev.resid.sae.dictionary.TokenMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What tables say of single features besides numbers: texts and tokens, for the notes of a run. */
final class FeatureNotes {
  private static final int SHOWN_TOKENS = 5;

  /** Bins of the histogram of norms of the unembedding. */
  private static final int NORM_BINS = 60;

  private static final int BEFORE = 12;
  private static final int AFTER = 4;

  private final Gpt2 gpt2;
  private final DictionaryOptions options;
  private final FeatureSample sample;

  FeatureNotes(Gpt2 gpt2, DictionaryOptions options, FeatureSample sample) {
    this.gpt2 = gpt2;
    this.options = options;
    this.sample = sample;
  }

  /** Adds everything. */
  Settings addTo(Settings notes, Progress progress) {
    TokenMask mask = TokenMask.outliers(gpt2);
    FeatureLens lens = new FeatureLens(gpt2, mask);
    notes.with("masked", mask.masked().cardinality());
    norms(notes, mask);
    List<Double> active = new ArrayList<>();
    List<Double> largest = new ArrayList<>();
    List<String> example = new ArrayList<>();
    List<String> promoted = new ArrayList<>();
    List<String> suppressed = new ArrayList<>();
    for (int unit : sample.units().filled()) {
      FeatureActivations activations = sample.activations(unit, progress);
      active.add((double) activations.activeTokens());
      largest.add(activations.largest());
      example.add(activations.top(1).stream().map(this::context).findFirst().orElse(""));
      View view = view(lens, unit, FeatureSweep.LENS_TOKENS);
      promoted.add(words(view.promoted()));
      suppressed.add(words(view.suppressed()));
      lens(notes, unit, view);
      notes.with(
          "ablated_" + unit,
          TextAblation.candidates(activations).stream()
              .findFirst()
              .map(this::tokens)
              .orElse(List.of()));
      List<Example> examples =
          new ArrayList<>(activations.binned(FeatureLayout.BINS, options.seed()));
      int bins = examples.size();
      examples.addAll(activations.top(FeatureSweep.TOP));
      notes
          .with("examples_" + unit + "_bins", bins)
          .with("examples_" + unit + "_activation", numbers(examples, Example::activation))
          .with("examples_" + unit + "_row", numbers(examples, Example::row))
          .with("examples_" + unit + "_pos", numbers(examples, Example::pos))
          .with("examples_" + unit + "_text", examples.stream().map(this::context).toList());
    }
    return notes
        .with("feature_active", numbers(active, v -> v))
        .with("feature_largest", numbers(largest, v -> v))
        .with("feature_example", example)
        .with("feature_promoted", promoted)
        .with("feature_suppressed", suppressed);
  }

  /** Adds a histogram of the norms of the unembedding, and where tokens begin to be left out. */
  private static void norms(Settings notes, TokenMask mask) {
    double[] norms = mask.norms();
    double low = Arrays.stream(norms).min().orElse(0);
    double high = Arrays.stream(norms).max().orElse(1);
    double width = high > low ? (high - low) / NORM_BINS : 1;
    double[] counts = new double[NORM_BINS];
    for (double norm : norms) {
      counts[Math.min(NORM_BINS - 1, (int) ((norm - low) / width))]++;
    }
    notes
        .with("norm_counts", counts)
        .with("norm_edges", low, width)
        .with("norm_limits", mask.low(), mask.high());
  }

  /** Returns the tokens of the text that ends at an example. */
  private List<String> tokens(Example example) {
    return Arrays.stream(options.tokens().row(example.row()))
        .limit(example.pos() + 1L)
        .mapToObj(token -> text(token))
        .toList();
  }

  private static <T> double[] numbers(
      List<T> of, java.util.function.ToDoubleFunction<? super T> number) {
    return of.stream().mapToDouble(number).toArray();
  }

  private View view(FeatureLens lens, int unit, int tokens) {
    Sae sae = options.saes().get(sample.units().sae(unit)).sae();
    return FeatureLens.appliesTo(sae.config().outputPoint())
        ? lens.view(sae, sample.units().feature(unit), tokens)
        : new View(List.of(), List.of());
  }

  private void lens(Settings notes, int unit, View view) {
    List<TokenLogit> both = new ArrayList<>(view.promoted());
    both.addAll(view.suppressed());
    notes
        .with("lens_" + unit + "_promoted", view.promoted().size())
        .with("lens_" + unit + "_token", numbers(both, TokenLogit::token))
        .with("lens_" + unit + "_logit", numbers(both, TokenLogit::logit))
        .with("lens_" + unit + "_text", both.stream().map(one -> alone(one.token())).toList());
  }

  private String words(List<TokenLogit> tokens) {
    return tokens.stream()
        .limit(SHOWN_TOKENS)
        .map(t -> "'" + alone(t.token()) + "'")
        .collect(Collectors.joining(" "));
  }

  /** Returns a token by itself; bytes that are no character as the tokenizer's files write them. */
  private String alone(int token) {
    String text = text(token);
    boolean bytes = gpt2.hasTokenizer() && (text.isEmpty() || text.indexOf('\ufffd') >= 0);
    return bytes ? gpt2.tokenizer().printable(token) : text;
  }

  /** Returns tokens as running text on one line. */
  private String text(int... tokens) {
    if (!gpt2.hasTokenizer()) {
      return Arrays.stream(tokens).mapToObj(t -> "[" + t + "]").collect(Collectors.joining());
    }
    return gpt2.tokenizer().decode(tokens).replace("\r", "").replace("\n", "⏎");
  }

  private String context(Example example) {
    int[] row = options.tokens().row(example.row());
    int pos = example.pos();
    return text(Arrays.copyOfRange(row, Math.max(0, pos - BEFORE), pos))
        + "⟦"
        + text(row[pos])
        + "⟧"
        + text(Arrays.copyOfRange(row, pos + 1, Math.min(row.length, pos + 1 + AFTER)));
  }
}
