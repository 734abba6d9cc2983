package dev.resid.experiments.result;

import dev.resid.io.AtomicFiles;
import dev.resid.io.Printable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Rows of typed cells under named columns, for CSV and JSON files. */
public final class ResultTable {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final List<Column> columns;
  private final List<List<Object>> rows = new ArrayList<>();

  /** What the cells of a column are. */
  public enum Type {
    /** Text: a {@link String}. */
    TEXT(String.class),
    /** A whole number: a {@link Long}. */
    WHOLE(Long.class),
    /** A finite number: a {@link Double}. */
    NUMBER(Double.class);

    private final Class<?> cell;

    Type(Class<?> cell) {
      this.cell = cell;
    }
  }

  /**
   * A column.
   *
   * @param name with the unit in it where there is one, for example {@code kl_nats}
   * @param type what its cells are
   * @param description one sentence on what the numbers are
   */
  public record Column(String name, Type type, String description) {
    /** Checks that nothing is missing. */
    public Column {
      Objects.requireNonNull(type, "type");
      if (name.isBlank() || description.isBlank()) {
        throw new IllegalArgumentException("a column needs a name and a description");
      }
    }
  }

  /**
   * Creates a table without rows.
   *
   * @param columns at least one, no name twice
   */
  public ResultTable(List<Column> columns) {
    this.columns = List.copyOf(columns);
    if (columns.isEmpty()
        || columns.stream().map(Column::name).distinct().count() < columns.size()) {
      throw new IllegalArgumentException("columns need different names, got " + columns);
    }
  }

  /** Returns the columns. */
  public List<Column> columns() {
    return columns;
  }

  /** Returns the rows, each with one cell a column. */
  public List<List<Object>> rows() {
    return Collections.unmodifiableList(rows);
  }

  /**
   * Adds a row.
   *
   * @param cells one a column: {@link String}, {@link Long} or finite {@link Double}, as its type
   *     says
   * @throws IllegalArgumentException if a cell is missing, superfluous, of another type or not
   *     finite
   */
  public void add(Object... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          cells.length + " cells for " + columns.size() + " columns");
    }
    for (int c = 0; c < cells.length; c++) {
      Column column = columns.get(c);
      if (!column.type().cell.isInstance(cells[c])) {
        throw new IllegalArgumentException(
            "column " + column.name() + " holds " + column.type() + ", got " + cells[c]);
      }
      if (cells[c] instanceof Double number && !Double.isFinite(number)) {
        throw new IllegalArgumentException("column " + column.name() + " got " + number);
      }
    }
    rows.add(List.of(cells));
  }

  /**
   * Returns the number in a row, if the column exists and holds numbers.
   *
   * @param row from 0
   * @param name of the column
   */
  public OptionalDouble number(int row, String name) {
    for (int c = 0; c < columns.size(); c++) {
      if (columns.get(c).name().equals(name) && rows.get(row).get(c) instanceof Number number) {
        return OptionalDouble.of(number.doubleValue());
      }
    }
    return OptionalDouble.empty();
  }

  /**
   * Returns the table as CSV: a header line, comma-separated cells, lines ended by CR LF, text in
   * quotes where it has to be, numbers with all their digits and a point.
   *
   * @source RFC 4180
   */
  public String toCsv() {
    StringBuilder csv = new StringBuilder();
    appendLine(csv, columns.stream().map(Column::name).toList());
    for (List<Object> row : rows) {
      appendLine(csv, row.stream().map(Object::toString).toList());
    }
    return csv.toString();
  }

  private static void appendLine(StringBuilder csv, List<String> cells) {
    for (int c = 0; c < cells.size(); c++) {
      csv.append(c == 0 ? "" : ",").append(quoted(cells.get(c)));
    }
    csv.append("\r\n");
  }

  private static String quoted(String cell) {
    boolean plain =
        cell.chars().noneMatch(ch -> ch == ',' || ch == '"' || ch == '\r' || ch == '\n');
    return plain ? cell : '"' + cell.replace("\"", "\"\"") + '"';
  }

  /** Returns the table as a JSON object with {@code columns} and {@code rows}. */
  public String toJson() {
    ObjectNode json = JSON.createObjectNode();
    ArrayNode names = json.putArray("columns");
    for (Column column : columns) {
      names
          .addObject()
          .put("name", column.name())
          .put("type", column.type().name().toLowerCase(java.util.Locale.ROOT))
          .put("description", column.description());
    }
    ArrayNode lines = json.putArray("rows");
    for (List<Object> row : rows) {
      ArrayNode line = lines.addArray();
      for (Object cell : row) {
        line.addPOJO(cell);
      }
    }
    return JSON.writeValueAsString(json) + "\n";
  }

  /**
   * Returns the table that {@link #write} left in a folder, from its JSON file.
   *
   * @param folder where
   * @param name without extension
   * @throws IOException if it is missing or no such table; the message names the file
   */
  public static ResultTable read(Path folder, String name) throws IOException {
    Path file = folder.resolve(name + ".json");
    try {
      JsonNode json = JSON.readTree(RunFiles.text(file));
      List<Column> columns = new ArrayList<>();
      for (JsonNode column : json.required("columns")) {
        columns.add(
            new Column(
                RunFiles.text(column, "name"),
                Type.valueOf(RunFiles.text(column, "type").toUpperCase(java.util.Locale.ROOT)),
                RunFiles.text(column, "description")));
      }
      ResultTable table = new ResultTable(columns);
      for (JsonNode row : json.required("rows")) {
        Object[] cells = new Object[row.size()];
        for (int c = 0; c < cells.length; c++) {
          cells[c] = cell(columns.get(Math.min(c, columns.size() - 1)).type(), row.get(c));
        }
        table.add(cells);
      }
      return table;
    } catch (JacksonException | IllegalArgumentException e) {
      throw new IOException(
          file
              + ": is no table of results: "
              + Printable.line(e.getMessage().lines().findFirst().orElse("")),
          e);
    }
  }

  private static Object cell(Type type, JsonNode json) {
    return switch (type) {
      case TEXT -> json.stringValue();
      case WHOLE -> json.longValue();
      case NUMBER -> json.doubleValue();
    };
  }

  /**
   * Writes {@code NAME.csv} and {@code NAME.json} in a folder.
   *
   * @param folder where
   * @param name without extension
   * @throws IOException if a file cannot be written; it is then as before
   */
  public void write(Path folder, String name) throws IOException {
    AtomicFiles.write(folder.resolve(name + ".csv"), toCsv());
    AtomicFiles.write(folder.resolve(name + ".json"), toJson());
  }
}
