package dev.resid.experiments.plateau;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.study.RowStudy;
import java.util.ArrayList;
import java.util.List;

/** What a report says in words. */
final class PlateauWords {
  private PlateauWords() {}

  /** Returns the definitions of everything that a page of this run mentions. */
  static List<Term> definitions(
      Scale.Values scale, PlateauVariants variants, List<StepKind> statistics) {
    List<Term> terms = new ArrayList<>(usual(scale, variants));
    if (statistics.contains(StepKind.MS_L2_DRAFT)) {
      terms.add(
          new Term(
              "Draft MS step",
              "the step n with the largest slope y(n+1) − y(n), whatever its size."));
    }
    if (statistics.contains(StepKind.NL_L2_DRAFT)) {
      terms.add(
          new Term(
              "Draft NL step",
              "the first point that is 10 % off the line through the curve's points 0 and 9."));
    }
    if (statistics.stream().anyMatch(kind -> kind.metric() == CurveColumns.Metric.JS)) {
      terms.add(
          new Term(
              "JS",
              "√(JS + 10⁻⁸) with JS = ½·KL(p‖m) + ½·KL(q‖m) in bits and m = ½·(p + q): p is the"
                  + " prediction at point 0, q that at the point. Its steps are draft steps."));
    }
    return terms;
  }

  // Long because it is a list of definitions, one after the other.
  private static List<Term> usual(Scale.Values scale, PlateauVariants variants) {
    return List.of(
        new Term(
            "Way",
            "100 points between a start A and a target T. The last position of the prompt is moved"
                + " there, all others stay; only what the last position computes changes."),
        new Term(
            "Absolute steps",
            "point n is A + n·s·(T − A)/‖T − A‖ with s = "
                + Numbers.brief(scale.step())
                + ". Only points before the target enter step statistics; mean curves show all 100,"
                + " those past the target too."),
        new Term("Relative steps", "point n is A + (n/99)·(T − A): the last point is the target."),
        new Term(
            "L2",
            "Euclidean distance after the last block, before the final layer norm, at the last"
                + " position: from where it is at point 0."),
        new Term(
            "KL",
            "Σ p·(ln p − ln q) over the vocabulary, in nats: p is the prediction of the next token"
                + " without the change, q the one with it."),
        new Term("Model-generated", "the activation of another prompt at its last position."),
        new Term(
            "Random",
            "a draw from the normal distribution with the mean and the covariance of the last"
                + " positions of all prompts. A covariance that is not positive definite is"
                + " replaced by the nearest one that is."),
        new Term("SAE reconstruction", "what the SAE makes of another prompt's activation."),
        new Term(
            "Single feature",
            "one alive feature of value "
                + Numbers.brief(scale.featureValue())
                + ", decoded; drawn again until its distance is within "
                + Numbers.brief(scale.featureMargin())
                + " of the mean distance of two prompts."),
        new Term(
            "Bag of features",
            "the features that are active at A replaced by random alive features with the same"
                + " values, decoded."),
        new Term(
            "Synthetic baseline",
            "each active feature replaced by "
                + (variants.densityPool().decades().isPresent()
                    ? "one whose log10 density (how often a feature is active) differs by less than"
                        + " "
                        + Numbers.brief(variants.densityPool().decades().getAsDouble())
                    : "one of the ten that are nearest in density (how often a feature is active)")
                + ", with the same value, decoded."),
        new Term(
            "Synthetic structured",
            "the strongest feature replaced by one of about the same density whose direction has a"
                + " cosine near 0.42 with it; all other features so that their cosines with the"
                + " strongest one are kept; same values, decoded."),
        new Term(
            "MS step",
            "the step with the largest slope y(n) − y(n−1), 99 if no slope exceeds "
                + Numbers.brief(scale.leastSlope())
                + " (L2) or 0.02 nats (KL)."),
        new Term(
            "AUC step",
            "the last point of the prefix of the curve whose area is smallest against the triangle"
                + " below its end."),
        new Term(
            "NL step",
            "the last point before the curve is 20 % off the line through its points 0 and 9."),
        new Term(
            "AP step",
            "the first step at which L2 is at least "
                + Numbers.brief(scale.threshold())
                + ", 100 if there is none."),
        new Term(
            "KS",
            "the largest distance of two distribution functions: 0 for equal samples, 1 for samples"
                + " without overlap."),
        new Term(
            "Interval",
            "the middle 95 % over "
                + RowStudy.RESAMPLES
                + " resamples of the prompts with replacement, the same prompts for everything that"
                + " is compared. Resampled KS distances are a little larger than that of the"
                + " sample, all of them alike."));
  }

  /** Returns where the lengths of a run come from. */
  static String scale(String text, Scale.Values values, PromptStatistics statistics) {
    Scale scale = Scale.parse(text);
    String lengths =
        "step "
            + Numbers.brief(values.step())
            + ", threshold "
            + Numbers.brief(values.threshold())
            + ", value of a single feature "
            + Numbers.brief(values.featureValue());
    String where =
        switch (scale.rule()) {
          case PUBLISHED -> ": those published for GPT-2 small";
          case SCALED ->
              ": published for GPT-2 small are 0.5, 20 and 37; step and value are those times "
                  + Numbers.significant(statistics.meanDistance() / Scale.PUBLISHED_DISTANCE, 3)
                  + ", the ratio of the mean distance of two prompts here to the "
                  + Numbers.brief(Scale.PUBLISHED_DISTANCE)
                  + " of GPT-2 small, and the threshold is a tenth of the mean distance of two"
                  + " prompts where L2 is read";
        };
    boolean given =
        scale.step().isPresent()
            || scale.threshold().isPresent()
            || scale.featureValue().isPresent();
    return lengths + where + (given ? "; except what was asked for" : "");
  }

  /** Returns in what a run is not what the publication did. */
  static List<String> differences(Settings settings) {
    List<String> differences = new ArrayList<>();
    differences.add(
        settings.text("weights").equals("transformerlens")
            ? "Weights are rewritten as TransformerLens does, as in the publication."
            : "Weights are as in the checkpoint. The publication ran on weights that"
                + " TransformerLens had centred; for its numbers use --weights transformerlens.");
    differences.add(
        "An absolute step has the length that the publication states. Its notebook spreads 100"
            + " points over 100 steps, which makes each step 1 % longer.");
    PlateauVariants variants = PlateauVariants.of(settings);
    differences.add(
        switch (variants.placing()) {
          case FRESH ->
              "Replacements of features go into a fresh vector. The published code writes into the"
                  + " one it reads, so that a replacement can be overwritten, which"
                  + " --replacements in-place does.";
          case IN_PLACE ->
              "Replacements of a baseline's features are written into the vector that is read, as"
                  + " in the published code: one that falls on a feature whose turn is yet to come"
                  + " is lost.";
        });
    if (variants.featureValue() == PlateauVariants.FeatureValue.MEAN_NORM) {
      differences.add(
          "The value of a single feature is the mean norm of the prompts' feature values, as in an"
              + " earlier script.");
    }
    differences.add(
        settings.text("real_base").equals("own")
            ? "A model-generated start is the prompt's own activation, as the words of the"
                + " publication say; its code puts another prompt's activation there, which"
                + " --real-base other does."
            : "A model-generated start is another prompt's activation put into the prompt, as the"
                + " published code does.");
    differences.add(
        "Prompts are consecutive pieces of the text; in the publication they are the first ten"
            + " tokens of random chunks of 1024. Mean and covariance are of all "
            + Numbers.grouped(settings.whole("pool"))
            + " pieces; the published scripts use 512 or 1000.");
    differences.add(
        "Histogram bins are whole steps wide, at most 30 of them, so that no bin holds more steps"
            + " than another.");
    return differences;
  }
}
