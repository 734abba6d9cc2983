package dev.resid.experiments.sensitivity;

import dev.resid.model.Gpt2Config;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Which perturbation lengths are measured. */
public sealed interface Lengths {
  /**
   * Mean distance of two activations at {@code resid_pre[6]} of GPT-2 small, for which the
   * published lengths were chosen.
   *
   * @source Lee and Heimersheim 2024, "Investigating Sensitive Directions in GPT-2"
   */
  double PUBLISHED_DISTANCE = 81.59;

  /** Returns the lengths, ascending. */
  double[] values(double meanDistance);

  /** Returns how many lengths there are. */
  int count();

  /** Returns what was asked for, for records: {@code published}, {@code scaled} or the numbers. */
  String text();

  /** The lengths of the published figures: 1, 3, … 19, 20, 24, … 48, 51, 61, … 101. */
  record Published() implements Lengths {
    private static final double[] ALL = {
      1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 20, 24, 28, 32, 36, 40, 44, 48, 51, 61, 71, 81, 91, 101
    };

    @Override
    public double[] values(double meanDistance) {
      return ALL.clone();
    }

    @Override
    public int count() {
      return ALL.length;
    }

    @Override
    public String text() {
      return "published";
    }
  }

  /**
   * The published lengths as parts of the mean distance of two real activations, so that they fit a
   * model whose activations are larger or smaller than GPT-2's; rounded to three digits.
   */
  record Scaled() implements Lengths {
    @Override
    public double[] values(double meanDistance) {
      return Arrays.stream(new Published().values(meanDistance))
          .map(
              length ->
                  new BigDecimal(length * meanDistance / PUBLISHED_DISTANCE)
                      .round(new MathContext(3))
                      .doubleValue())
          .toArray();
    }

    @Override
    public int count() {
      return new Published().count();
    }

    @Override
    public String text() {
      return "scaled";
    }
  }

  /** Lengths that were asked for. */
  final class Given implements Lengths {
    private final double[] values;

    /**
     * Checks the lengths.
     *
     * @param values positive, ascending, at least one
     */
    public Given(double... values) {
      this.values = values.clone();
      for (int i = 0; i < values.length; i++) {
        boolean ascending = i == 0 || values[i] > values[i - 1];
        if (!(values[i] > 0) || values[i] == Double.POSITIVE_INFINITY || !ascending) {
          throw new IllegalArgumentException(
              "lengths are positive and ascending, got " + Arrays.toString(values));
        }
      }
      if (values.length == 0) {
        throw new IllegalArgumentException("at least one length is needed");
      }
    }

    @Override
    public double[] values(double meanDistance) {
      return values.clone();
    }

    @Override
    public int count() {
      return values.length;
    }

    @Override
    public String text() {
      return Arrays.stream(values).mapToObj(String::valueOf).collect(Collectors.joining(","));
    }
  }

  /** Returns the published lengths for models of GPT-2 small's size, scaled ones for others. */
  static Lengths usual(Gpt2Config config) {
    return config.hasGpt2SmallSize() ? new Published() : new Scaled();
  }

  /**
   * Returns the lengths of a text.
   *
   * @param text {@code published}, {@code scaled}, or numbers separated by commas
   * @throws IllegalArgumentException if it is anything else
   */
  static Lengths parse(String text) {
    return switch (text) {
      case "published" -> new Published();
      case "scaled" -> new Scaled();
      default -> {
        try {
          yield new Given(
              Arrays.stream(text.split(",")).mapToDouble(Double::parseDouble).toArray());
        } catch (NumberFormatException e) {
          throw new IllegalArgumentException(
              "\"" + text + "\" are no lengths; write published, scaled, or numbers such as 1,3,10",
              e);
        }
      }
    };
  }
}
