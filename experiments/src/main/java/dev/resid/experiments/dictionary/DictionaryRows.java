package dev.resid.experiments.dictionary;

import dev.resid.experiments.dictionary.DictionaryOptions.Part;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.RowValues;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * Which rows of a run belong to which part: rows of the text first, then single features, then
 * features of connected SAEs. All have as many numbers as the largest needs.
 *
 * @param text rows of the text that continuations start from
 * @param features single features, empty units included
 * @param connections features of connected SAEs, empty units included
 */
record DictionaryRows(int text, int features, int connections) {
  /** What a single feature takes, in continuations of a row. */
  private static final int FEATURE_UNITS = 32;

  /** What a connected feature takes, in continuations of a row. */
  private static final int CONNECTION_UNITS = 60;

  /** Returns the rows of a run. */
  static DictionaryRows of(DictionaryOptions options) {
    int saes = options.saes().size();
    return new DictionaryRows(
        options.parts().contains(Part.DICTIONARIES) ? options.firstRows().rows() : 0,
        options.parts().contains(Part.FEATURES) ? saes * options.features() : 0,
        options.parts().contains(Part.CONNECTIONS)
            ? ConnectionPairs.count(options.saes()) * options.features()
            : 0);
  }

  /** Adds them to the notes of a run. */
  Settings addTo(Settings notes) {
    return notes.with("rows_of_parts", text, features, connections);
  }

  /** Returns the rows of a run, from its notes. */
  static DictionaryRows of(Settings notes) {
    int[] rows = Arrays.stream(notes.numbers("rows_of_parts")).mapToInt(n -> (int) n).toArray();
    return new DictionaryRows(rows[0], rows[1], rows[2]);
  }

  int count() {
    return text + features + connections;
  }

  /** Returns how many numbers a row has. */
  int columns(DictionaryLayout sizes) {
    return Arrays.stream(columnsOfParts(sizes)).max().orElseThrow();
  }

  private int[] columnsOfParts(DictionaryLayout sizes) {
    return new int[] {
      text > 0 ? sizes.rows().count() : 1,
      features > 0 ? FeatureLayout.VALUES.count() : 1,
      connections > 0 ? ConnectionPairs.VALUES.count() : 1
    };
  }

  /** Returns about how long a row takes, in continuations of a row. */
  int units(int row, DictionaryLayout sizes) {
    return row < text
        ? sizes.continuations()
        : row < text + features ? FEATURE_UNITS : CONNECTION_UNITS;
  }

  /** Returns the numbers of each part. */
  Map<Part, RowValues> split(RowValues values, DictionaryLayout sizes) {
    int[] columns = columnsOfParts(sizes);
    Map<Part, RowValues> parts = new EnumMap<>(Part.class);
    parts.put(Part.DICTIONARIES, some(values, 0, text, columns[0]));
    parts.put(Part.FEATURES, some(values, text, features, columns[1]));
    parts.put(Part.CONNECTIONS, some(values, text + features, connections, columns[2]));
    return parts;
  }

  private static RowValues some(RowValues values, int from, int rows, int columns) {
    RowValues some = new RowValues(rows, columns);
    for (int row = 0; row < rows; row++) {
      double[] numbers = new double[columns];
      for (int column = 0; column < columns; column++) {
        numbers[column] = values.get(from + row, column);
      }
      some.set(row, numbers);
    }
    return some;
  }
}
