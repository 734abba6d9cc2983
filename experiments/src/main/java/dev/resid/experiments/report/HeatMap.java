package dev.resid.experiments.report;

import java.util.Arrays;
import java.util.List;

/**
 * Numbers as colours: one or more tables of cells side by side, on one scale of colours that is 0
 * where nothing is painted, with one hue above and another below.
 *
 * @param title what is seen, in a few words
 * @param subtitle what is drawn against what
 * @param source where the numbers come from: model, data and run
 * @param value what the colours mean, with the unit
 * @param panels at least one
 */
public record HeatMap(
    String title, String subtitle, String source, String value, List<Cells> panels)
    implements Picture {
  /** Checks that there is a panel. */
  public HeatMap {
    panels = List.copyOf(panels);
    if (panels.isEmpty()) {
      throw new IllegalArgumentException("the figure \"" + title + "\" has no panel");
    }
  }

  /**
   * A table of cells.
   *
   * @param title what distinguishes it from its neighbours
   * @param rowAxis what the rows are
   * @param rows names of the rows, the lowest first
   * @param columnAxis what the columns are
   * @param columns names of the columns
   * @param values one list a row, one number a column; NaN leaves a cell empty
   */
  public record Cells(
      String title,
      String rowAxis,
      List<String> rows,
      String columnAxis,
      List<String> columns,
      List<List<Double>> values) {
    /** Checks that there is a number for every cell. */
    public Cells {
      rows = List.copyOf(rows);
      columns = List.copyOf(columns);
      values = values.stream().map(List::copyOf).toList();
      int width = columns.size();
      if (values.size() != rows.size() || values.stream().anyMatch(row -> row.size() != width)) {
        throw new IllegalArgumentException(
            "the panel \"" + title + "\" needs " + rows.size() + " rows of " + width + " numbers");
      }
    }

    /**
     * Returns a table of the numbers of an array.
     *
     * @param title what distinguishes it from its neighbours
     * @param rowAxis what the rows are
     * @param rows names of the rows, the lowest first
     * @param columnAxis what the columns are
     * @param columns names of the columns
     * @param values [row][column], the lowest row first; NaN leaves a cell empty
     * @throws IllegalArgumentException if there is not a number for every cell
     */
    public static Cells of(
        String title,
        String rowAxis,
        List<String> rows,
        String columnAxis,
        List<String> columns,
        double[][] values) {
      return new Cells(
          title,
          rowAxis,
          rows,
          columnAxis,
          columns,
          Arrays.stream(values).map(row -> Arrays.stream(row).boxed().toList()).toList());
    }
  }

  /** Returns the largest magnitude of all cells, 1 if there is none. */
  double largest() {
    double largest =
        panels.stream()
            .flatMap(cells -> cells.values().stream())
            .flatMap(List::stream)
            .mapToDouble(Math::abs)
            .filter(Double::isFinite)
            .max()
            .orElse(0);
    return largest > 0 ? largest : 1;
  }

  @Override
  public String toSvg() {
    return SvgWriter.write(HeatMapLayout.of(this), SvgWriter.Place.FILE);
  }

  @Override
  public byte[] toPng() {
    return PngWriter.write(HeatMapLayout.of(this), 2);
  }
}
