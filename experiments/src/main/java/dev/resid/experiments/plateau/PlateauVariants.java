package dev.resid.experiments.plateau;

import dev.resid.experiments.result.Settings;
import dev.resid.experiments.result.Worded;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What earlier scripts and the published notebooks do in another way than the paper says.
 *
 * @param densityPool what replacements of a baseline are drawn from
 * @param placing where replacements of a baseline go
 * @param featureValue value of a single feature
 * @param drafts earlier step statistics that are told besides the usual ones, none twice
 */
public record PlateauVariants(
    DensityPool densityPool, Placing placing, FeatureValue featureValue, List<StepKind> drafts) {
  /** Where the replacements of a baseline's features go. */
  public enum Placing implements Worded {
    /** Into a fresh vector: as many features as before. */
    FRESH,
    /**
     * Into the vector that is read, as in the published notebook: a replacement that falls on a
     * feature whose turn is yet to come is cleared by that turn, and the baseline has fewer
     * features.
     */
    IN_PLACE;

    /** Returns the name in records and on the command line. */
    @Override
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the place of a name.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Placing of(String word) {
      return Worded.of(Placing.class, word, "place of replacements");
    }
  }

  /** Which value a single feature has. */
  public enum FeatureValue {
    /** That of the run's scale, 37 in the publication. */
    SCALE,
    /** The mean over prompts of the norm of their feature values, as in an earlier script. */
    MEAN_NORM
  }

  /** Checks the statistics. */
  public PlateauVariants {
    drafts = List.copyOf(drafts);
    if (drafts.stream().distinct().count() < drafts.size()
        || drafts.stream().anyMatch(StepKind.USUAL::contains)) {
      throw new IllegalArgumentException(
          "drafts are earlier statistics, none of the usual and none twice; got "
              + drafts.stream().map(StepKind::word).toList());
    }
  }

  /** Returns what the paper does. */
  public static PlateauVariants paper() {
    return new PlateauVariants(DensityPool.nearest(), Placing.FRESH, FeatureValue.SCALE, List.of());
  }

  /** Returns all statistics of a run. */
  List<StepKind> statistics() {
    return Stream.concat(StepKind.USUAL.stream(), drafts.stream()).toList();
  }

  /** Returns the lengths of a run. */
  Scale.Values values(Scale scale, PromptStatistics statistics) {
    Scale.Values values = scale.values(statistics);
    return featureValue == FeatureValue.SCALE
        ? values
        : values.withFeatureValue(statistics.meanFeatureNorm());
  }

  /** Returns settings with these written down. */
  Settings in(Settings settings) {
    return settings
        .with("density_pool", densityPool.text())
        .with("placing", placing.word())
        .with("single_feature", featureValue.name().toLowerCase(Locale.ROOT))
        .with("draft_statistics", drafts.stream().map(StepKind::word).toList());
  }

  /** Returns what {@link #in} wrote. */
  static PlateauVariants of(Settings settings) {
    return new PlateauVariants(
        DensityPool.parse(settings.text("density_pool")),
        Placing.of(settings.text("placing")),
        FeatureValue.valueOf(settings.text("single_feature").toUpperCase(Locale.ROOT)),
        settings.list("draft_statistics").stream().map(StepKind::of).toList());
  }
}
