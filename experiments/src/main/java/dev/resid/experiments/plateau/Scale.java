package dev.resid.experiments.plateau;

import dev.resid.model.Gpt2Config;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The lengths that the publication chose for GPT-2 small, and what stands for them in other models.
 *
 * <p>At {@code resid_pre[1]} of GPT-2 small two prompts are about {@value #PUBLISHED_DISTANCE}
 * apart: the published MS steps with absolute and with relative steps differ by that factor (41.12
 * steps of 0.505 are 51.60/99 of the way), and a single feature of value 37 was sought at that
 * distance. The scaled lengths are the published ones times the mean distance of two prompts over
 * {@value #PUBLISHED_DISTANCE}; the plateau's threshold, which is measured after the last block, is
 * a tenth of the mean distance of two prompts there.
 *
 * @param rule where lengths that are not given come from
 * @param step length of an absolute step, if it is given
 * @param threshold L2 at which a plateau ends, if it is given
 * @param featureValue value of a single feature, if it is given
 */
public record Scale(
    Rule rule, OptionalDouble step, OptionalDouble threshold, OptionalDouble featureValue) {
  /** Mean distance of two prompts at resid_pre[1] of GPT-2 small, inferred as said above. */
  static final double PUBLISHED_DISTANCE = 40;

  private static final double PUBLISHED_STEP = 0.5;
  private static final double PUBLISHED_THRESHOLD = 20;
  private static final double PUBLISHED_FEATURE_VALUE = 37;
  private static final double PUBLISHED_FEATURE_MARGIN = 3;
  private static final double PUBLISHED_LEAST_SLOPE = 0.02;

  /** Published final distances are 130 to 300, so that the published threshold is about a tenth. */
  private static final double THRESHOLD_PART = 0.1;

  /** Where lengths come from. */
  public enum Rule {
    /** The published lengths, for GPT-2 small. */
    PUBLISHED,
    /** Scaled by distances of the model's own activations. */
    SCALED;

    /** Returns the published lengths for models of GPT-2 small's size, scaled ones for others. */
    public static Rule usual(Gpt2Config config) {
      return config.hasGpt2SmallSize() ? PUBLISHED : SCALED;
    }
  }

  /** Checks the lengths that are given. */
  public Scale {
    requirePositive("step", step);
    requirePositive("threshold", threshold);
    requirePositive("feature value", featureValue);
  }

  /** Returns the lengths of a rule, none of them given. */
  public static Scale of(Rule rule) {
    return new Scale(rule, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
  }

  private static void requirePositive(String name, OptionalDouble value) {
    if (value.isPresent() && !(value.getAsDouble() > 0 && value.getAsDouble() < 1e30)) {
      throw new IllegalArgumentException(
          name + " is " + value.getAsDouble() + ", must be a positive number");
    }
  }

  /**
   * The lengths of a run.
   *
   * @param step length of an absolute step
   * @param threshold L2 at which a plateau ends
   * @param leastSlope slopes of L2 up to this one do not count as a step
   * @param featureValue value of a single feature
   * @param featureMargin how far its distance may be from that of real activations
   */
  record Values(
      double step, double threshold, double leastSlope, double featureValue, double featureMargin) {
    /** Returns these with another value of a single feature. */
    Values withFeatureValue(double value) {
      return new Values(step, threshold, leastSlope, rounded(value), featureMargin);
    }
  }

  /** Returns the lengths for a model whose activations are known. */
  Values values(PromptStatistics statistics) {
    double factor = rule == Rule.PUBLISHED ? 1 : statistics.meanDistance() / PUBLISHED_DISTANCE;
    double end =
        threshold.orElse(
            rule == Rule.PUBLISHED
                ? PUBLISHED_THRESHOLD
                : rounded(THRESHOLD_PART * statistics.readDistance()));
    return new Values(
        step.orElse(rounded(PUBLISHED_STEP * factor)),
        end,
        PUBLISHED_LEAST_SLOPE * end / PUBLISHED_THRESHOLD,
        featureValue.orElse(rounded(PUBLISHED_FEATURE_VALUE * factor)),
        rounded(PUBLISHED_FEATURE_MARGIN * factor));
  }

  /** Returns a number with three significant digits, so that it can be written down and given. */
  private static double rounded(double value) {
    return new BigDecimal(value).round(new MathContext(3)).doubleValue();
  }

  /** Returns the scale in one word or a few, for settings. */
  String text() {
    StringBuilder text = new StringBuilder(rule.name().toLowerCase(Locale.ROOT));
    step.ifPresent(value -> text.append(" step=").append(value));
    threshold.ifPresent(value -> text.append(" threshold=").append(value));
    featureValue.ifPresent(value -> text.append(" feature=").append(value));
    return text.toString();
  }

  /** Returns the scale that {@link #text} wrote. */
  static Scale parse(String text) {
    String[] words = text.split(" ");
    OptionalDouble[] given = {
      OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty()
    };
    for (int i = 1; i < words.length; i++) {
      String[] parts = words[i].split("=");
      int at =
          switch (parts[0]) {
            case "step" -> 0;
            case "threshold" -> 1;
            case "feature" -> 2;
            default -> throw new IllegalArgumentException("\"" + text + "\" is no scale");
          };
      given[at] = OptionalDouble.of(Double.parseDouble(parts[1]));
    }
    Rule rule = Rule.valueOf(words[0].toUpperCase(Locale.ROOT));
    return new Scale(rule, given[0], given[1], given[2]);
  }
}
