package dev.resid.experiments.feature;

import dev.resid.experiments.feature.FeatureFacts.Attribution;
import dev.resid.experiments.feature.FeatureFacts.Effect;
import dev.resid.io.AtomicFiles;
import dev.resid.model.Gpt2;
import dev.resid.progress.Progress;
import dev.resid.sae.Sae;
import dev.resid.sae.dictionary.AblatedText;
import dev.resid.sae.dictionary.Dictionary;
import dev.resid.sae.dictionary.FeatureAblation;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import dev.resid.sae.dictionary.FeatureLens;
import dev.resid.sae.dictionary.FeatureLens.View;
import dev.resid.sae.dictionary.MaxCosineSimilarity;
import dev.resid.sae.dictionary.MaxCosineSimilarity.Neighbour;
import dev.resid.sae.dictionary.TokenMask;
import dev.resid.sae.metric.FeatureCosines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/** Finds out what one feature of an SAE does, and writes the page. */
public final class FeatureStudy {
  private static final int LENS_TOKENS = 15;
  private static final int NEIGHBOURS = 8;
  private static final int NEIGHBOUR_TOKENS = 5;

  private final Gpt2 gpt2;
  private final Sae sae;
  private final String name;
  private final FeatureOptions options;

  /**
   * Prepares a page.
   *
   * @param gpt2 the model, with the weights the SAE was trained on
   * @param sae has the feature
   * @param name what the SAE is called
   * @param options what is shown
   * @throws IllegalArgumentException if there is no such feature, or a token is not the model's
   */
  public FeatureStudy(Gpt2 gpt2, Sae sae, String name, FeatureOptions options) {
    int dSae = sae.config().dSae();
    if (options.index() < 0 || options.index() >= dSae) {
      throw new IllegalArgumentException(
          name + " has no feature " + options.index() + ", its features are 0 to " + (dSae - 1));
    }
    gpt2.requireTokens(options.tokens());
    this.gpt2 = Objects.requireNonNull(gpt2, "gpt2");
    this.sae = sae;
    this.name = name;
    this.options = options;
  }

  /**
   * Writes the page.
   *
   * @param file replaced if it exists
   * @param progress told about every step
   * @throws IOException if the page cannot be written
   */
  public void write(Path file, Progress progress) throws IOException {
    AtomicFiles.write(file, new FeaturePage(facts(progress), TokenText.of(gpt2)).html());
  }

  private FeatureFacts facts(Progress progress) {
    FeatureActivations activations;
    try (Progress.Task task = progress.begin("looking", "rows", 0, options.tokens().rows())) {
      activations =
          FeatureActivations.scan(gpt2, sae, options.tokens(), task::advanceTo, options.index())
              .getFirst();
    }
    List<Example> top = activations.topOfRows(options.examples());
    TokenMask mask = TokenMask.outliers(gpt2);
    FeatureLens lens = new FeatureLens(gpt2, mask);
    Optional<View> view = view(lens, options.index(), LENS_TOKENS);
    List<Neighbour> neighbours =
        MaxCosineSimilarity.nearest(Dictionary.decoderOf(sae), options.index(), NEIGHBOURS);
    return new FeatureFacts(
        name,
        sae.config(),
        model(),
        gpt2.weightsState().name(),
        options,
        activations,
        top,
        activations.binned(options.examples(), options.seed()),
        view,
        mask.masked().cardinality(),
        neighbours,
        view.isEmpty()
            ? List.of()
            : neighbours.stream()
                .map(n -> view(lens, n.feature(), NEIGHBOUR_TOKENS).orElseThrow())
                .toList(),
        FeatureCosines.of(sae)
            .map(all -> OptionalDouble.of(all[options.index()]))
            .orElse(OptionalDouble.empty()),
        attribution(top),
        effect(activations, top));
  }

  private Optional<View> view(FeatureLens lens, int feature, int tokens) {
    try {
      return Optional.of(lens.view(sae, feature, tokens));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // what it writes does not go to the unembedding
    }
  }

  /** Removes every token up to the first example that has at least one before it. */
  private Optional<Attribution> attribution(List<Example> top) {
    return top.stream()
        .filter(example -> example.pos() > 0)
        .findFirst()
        .map(
            example ->
                new Attribution(
                    example.row(),
                    new AblatedText(
                            gpt2,
                            sae,
                            options.index(),
                            Arrays.copyOf(options.tokens().row(example.row()), example.pos() + 1))
                        .scores()));
  }

  private Optional<Effect> effect(FeatureActivations activations, List<Example> top) {
    double on = 0;
    double off = 0;
    int active = 0;
    int others = 0;
    for (Example example : top) {
      int row = example.row();
      double[] change =
          FeatureAblation.logProbChangeNats(
              gpt2, sae, options.tokens().slice(row, row + 1), options.index())[0];
      float[] values = activations.row(row);
      for (int pos = 0; pos < change.length; pos++) {
        if (values[pos] != 0) {
          on += change[pos];
          active++;
        } else {
          off += change[pos];
          others++;
        }
      }
    }
    return active == 0
        ? Optional.empty()
        : Optional.of(new Effect(on / active, active, others == 0 ? 0 : off / others, top.size()));
  }

  /** Returns the model's name without the folders it lies in, which differ between machines. */
  private String model() {
    Path last = Path.of(gpt2.source()).getFileName();
    return last == null || gpt2.source().equals("embedded")
        ? "the embedded model"
        : last.toString();
  }
}
