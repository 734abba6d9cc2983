package dev.resid.experiments.reproduce;

import dev.resid.experiments.report.Section.Verdict;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A published number beside a measured one.
 *
 * @param number the published one
 * @param measured the measured one; empty where the study that ran has no such number
 */
public record Check(PublishedNumber number, Optional<Measured> measured) {
  /** Returns the measured number, if there is one. */
  public OptionalDouble value() {
    return measured.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(measured.get().value());
  }

  /** Returns how far both may be apart, if that is known. */
  public OptionalDouble tolerance() {
    return measured.isEmpty()
        ? OptionalDouble.empty()
        : number.rule().tolerance(number, measured.get());
  }

  /** Returns where the tolerance comes from, in words. */
  public String why() {
    return measured.isEmpty()
        ? "this run has no such number"
        : number.rule().words(number, measured.get());
  }

  /**
   * Returns whether the numbers agree: undecided where no tolerance is known, or where it is more
   * than half the published number and therefore says little.
   */
  public Verdict verdict() {
    OptionalDouble tolerance = tolerance();
    if (measured.isEmpty() || tolerance.isEmpty()) {
      return Verdict.UNDECIDED;
    }
    double apart = Math.abs(measured.get().value() - number.value());
    if (!(apart <= tolerance.getAsDouble())) {
      return Verdict.DOES_NOT_HOLD;
    }
    boolean wide =
        number.rule() == Rule.SAMPLE
            && tolerance.getAsDouble() > Rule.DECIDES_UP_TO * Math.abs(number.value());
    return wide ? Verdict.UNDECIDED : Verdict.HOLDS;
  }
}
