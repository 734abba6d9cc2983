package dev.resid.experiments.reproduce;

import dev.resid.experiments.report.Numbers;
import dev.resid.experiments.result.Worded;
import java.util.Locale;
import java.util.OptionalDouble;

/** Where a tolerance comes from. */
public enum Rule implements Worded {
  /** A count of something that depends on no data: the slack alone, which is 0 where not said. */
  EXACT,
  /**
   * A number that depends on no data: half a unit of its last printed digit, {@value #FLOAT32} of
   * it for float32, and the slack.
   */
  ROUNDING,
  /** A mean over the same items: half a unit of its last printed digit and the slack. */
  ITEMS,
  /**
   * A mean over another sample of the same kind: {@value #STANDARD_ERRORS} standard errors of the
   * difference of two means, half a unit of the last printed digit, and the slack.
   */
  SAMPLE,
  /** A number whose samples spread by a known part: the slack times the number. */
  SPREAD,
  /** A number that depends on the size of the sample: shown, not judged. */
  SHOWN;

  /**
   * Error of float32 runs of the model, relative. Norms at the begin-of-text token of the embedded
   * model differ by less than 10⁻⁷ between backends; the published ones come from GPUs and from
   * weights that another program rewrote in float32, for which this leaves room.
   */
  static final double FLOAT32 = 2e-5;

  /** With 700 such numbers, 4 standard errors are passed by chance in one of 23 runs. */
  static final double STANDARD_ERRORS = 4;

  /** A tolerance above this part of a number decides nothing in its favour. */
  static final double DECIDES_UP_TO = 0.5;

  /**
   * Returns how far a measured number may be from the published one; empty where that is unknown.
   *
   * @param number the published number
   * @param measured the measured one, in the same unit
   */
  OptionalDouble tolerance(PublishedNumber number, Measured measured) {
    double printed = number.halfUnit() + number.slack();
    return switch (this) {
      case EXACT -> OptionalDouble.of(number.slack());
      case ROUNDING -> OptionalDouble.of(printed + FLOAT32 * Math.abs(number.value()));
      case ITEMS -> OptionalDouble.of(printed);
      case SAMPLE ->
          measured.standardError().isEmpty()
              ? OptionalDouble.empty()
              : OptionalDouble.of(printed + sampling(number, measured));
      case SPREAD -> OptionalDouble.of(number.slack() * Math.abs(number.value()));
      case SHOWN -> OptionalDouble.empty();
    };
  }

  /** The published mean's standard error is that of this run, scaled by the sizes of both. */
  private static double sampling(PublishedNumber number, Measured measured) {
    double here = measured.standardError().getAsDouble();
    return STANDARD_ERRORS * here * Math.sqrt(1 + (double) measured.size() / number.size());
  }

  /** Returns where the tolerance of a number comes from, in words. */
  String words(PublishedNumber number, Measured measured) {
    String slack =
        number.slack() == 0
            ? ""
            : " + "
                + Numbers.significant(number.slack(), 2)
                + (number.note().isEmpty() ? "" : " (" + number.note() + ")");
    return switch (this) {
      case EXACT ->
          slack.isEmpty() ? "a count without data: none" : "a count:" + slack.substring(2);
      case ROUNDING -> "last printed digit + float32" + slack;
      case ITEMS -> "same " + Numbers.grouped(number.size()) + " items: last printed digit" + slack;
      case SAMPLE ->
          measured.standardError().isEmpty()
              ? "this run has no standard error of it"
              : String.format(
                  Locale.ROOT,
                  "%.0f standard errors, samples of %,d and %,d%s",
                  STANDARD_ERRORS,
                  number.size(),
                  measured.size(),
                  slack);
      case SPREAD -> Numbers.significant(100 * number.slack(), 2) + " %: " + number.note();
      case SHOWN -> "not judged: " + number.note();
    };
  }

  /** Returns the rule of a name in the table of published numbers. */
  static Rule of(String word) {
    return Worded.of(Rule.class, word, "rule");
  }

  @Override
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
