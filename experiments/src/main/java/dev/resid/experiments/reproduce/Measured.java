package dev.resid.experiments.reproduce;

import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * A number of a study's table.
 *
 * @param value the number, or the mean of several lines
 * @param standardError of the mean: from its 95 % interval where the table has one, or from the
 *     spread of several lines; empty where there is neither
 * @param size of the sample
 */
record Measured(double value, OptionalDouble standardError, int size) {
  /** Ends of a normal distribution's middle 95 %, in standard deviations. */
  private static final double ENDS_95 = 1.959964;

  /**
   * Returns the number of the lines of a table that have all these cells, if there are any.
   *
   * @param table of a study
   * @param where cells by column
   * @param column the number
   * @param scale multiplies it
   * @param size of the sample
   */
  static Optional<Measured> in(
      ResultTable table, Map<String, String> where, String column, double scale, int size) {
    List<Integer> lines = new ArrayList<>();
    for (int row = 0; row < table.rows().size(); row++) {
      if (has(table, row, where)) {
        lines.add(row);
      }
    }
    if (lines.isEmpty() || table.number(lines.getFirst(), column).isEmpty()) {
      return Optional.empty();
    }
    double[] values =
        lines.stream().mapToDouble(row -> table.number(row, column).getAsDouble()).toArray();
    double mean =
        IntStream.range(0, values.length).mapToDouble(i -> values[i]).sum() / values.length;
    OptionalDouble error =
        values.length == 1
            ? ofInterval(table, lines.getFirst(), column)
            : OptionalDouble.of(ofSpread(mean, values));
    return Optional.of(
        new Measured(
            scale * mean,
            error.isEmpty() ? error : OptionalDouble.of(Math.abs(scale) * error.getAsDouble()),
            size));
  }

  private static boolean has(ResultTable table, int row, Map<String, String> where) {
    int met = 0;
    for (int c = 0; c < table.columns().size(); c++) {
      Column column = table.columns().get(c);
      String wanted = where.get(column.name());
      if (wanted != null) {
        Object cell = table.rows().get(row).get(c);
        boolean equal =
            cell instanceof Number number
                ? number.doubleValue() == Double.parseDouble(wanted)
                : cell.equals(wanted);
        if (!equal) {
          return false;
        }
        met++;
      }
    }
    return met == where.size();
  }

  private static OptionalDouble ofInterval(ResultTable table, int row, String column) {
    OptionalDouble low = table.number(row, column + "_low");
    OptionalDouble high = table.number(row, column + "_high");
    return low.isEmpty() || high.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of((high.getAsDouble() - low.getAsDouble()) / (2 * ENDS_95));
  }

  private static double ofSpread(double mean, double... values) {
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    return Math.sqrt(squares / (values.length - 1) / values.length);
  }
}
