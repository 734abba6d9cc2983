package dev.resid.experiments.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Token ids separated by commas, as one option's value.
 *
 * @param values not negative, at least one
 */
record IdList(List<Integer> values) {
  /** Copies the list. */
  IdList {
    values = List.copyOf(values);
  }

  /** Returns the ids, a copy. */
  int[] toArray() {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Reads the list for picocli. */
  static final class Converter implements ITypeConverter<IdList> {
    /** Called by picocli. */
    Converter() {}

    @Override
    public IdList convert(String text) {
      List<Integer> values = new ArrayList<>();
      for (String part : text.split(",", -1)) {
        int value;
        try {
          value = Integer.parseInt(part.strip());
        } catch (NumberFormatException e) {
          throw new TypeConversionException("'" + part + "' is not a token id");
        }
        if (value < 0) {
          throw new TypeConversionException("token ids are not negative, found " + value);
        }
        values.add(value);
      }
      return new IdList(values);
    }
  }
}
