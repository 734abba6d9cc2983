package dev.resid.experiments.cli;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Numbers separated by commas, as one option's value.
 *
 * @param values finite, at least one
 */
record NumberList(List<Double> values) {
  /** Copies the list. */
  NumberList {
    values = List.copyOf(values);
  }

  /** Returns the numbers as they would be typed. */
  @Override
  public String toString() {
    return values.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** Reads the list for picocli. */
  static final class Converter implements ITypeConverter<NumberList> {
    /** Called by picocli. */
    Converter() {}

    @Override
    public NumberList convert(String text) {
      List<Double> values = new ArrayList<>();
      for (String part : text.split(",", -1)) {
        double value;
        try {
          value = new BigDecimal(part.strip()).doubleValue();
        } catch (NumberFormatException e) {
          throw new TypeConversionException("'" + part + "' is not a number");
        }
        if (Double.isInfinite(value)) {
          throw new TypeConversionException("'" + part + "' is too large");
        }
        values.add(value);
      }
      return new NumberList(values);
    }
  }
}
