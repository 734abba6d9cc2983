package dev.resid.experiments.cli;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * Refuses values of options as wrong usage: exit code 2 and where help is.
 *
 * @param spec of the command that has the options
 */
record Usage(CommandSpec spec) {
  /** Returns what to throw. */
  ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /**
   * Requires a number to be large enough.
   *
   * @param option its name
   * @param value what was given; null for nothing
   * @param least that is allowed
   */
  void requireAtLeast(String option, Integer value, int least) {
    if (value != null && value < least) {
      throw wrong(option + " is " + value + ", must be at least " + least);
    }
  }

  /** Requires a number to be finite and not negative. */
  void requireNotNegative(String option, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw wrong(option + " is " + value + ", must be a number of at least 0");
    }
  }

  /**
   * Requires a list to name something, and nothing twice.
   *
   * @param option its name
   * @param values what was given; null for nothing
   */
  void requireNames(String option, List<?> values) {
    if (values == null) {
      return;
    }
    if (values.isEmpty()) {
      throw wrong(option + " names nothing");
    }
    if (values.stream().distinct().count() < values.size()) {
      throw wrong(option + " names something twice: " + values);
    }
  }

  /**
   * Returns what each word of an option names; a name that means nothing is wrong usage.
   *
   * @param words what was given; null for nothing
   * @param named returns what a word names, or complains
   * @param otherwise what counts if nothing was given
   */
  <T> List<T> named(List<String> words, Function<String, T> named, List<T> otherwise) {
    return words == null ? otherwise : of(() -> words.stream().map(named).toList());
  }

  /** Returns a value that is made from options, whose complaint is wrong usage too. */
  <T> T of(Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
