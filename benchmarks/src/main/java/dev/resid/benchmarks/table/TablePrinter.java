package dev.resid.benchmarks.table;

import dev.resid.benchmarks.work.Bound;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prints lines for a person. */
final class TablePrinter {
  private static final int FACT_WIDTH = 12;

  private final PrintStream out;

  TablePrinter(PrintStream out) {
    this.out = out;
  }

  /** Prints what the table was measured on. */
  void facts(Map<String, String> facts) {
    facts.forEach((name, value) -> out.printf("%-" + FACT_WIDTH + "s %s%n", name, value));
  }

  /** Prints the lines of one group. */
  void group(Group group, List<Line> lines) {
    out.printf("%n%s%nTarget: %s.%n", group.title(), group.target());
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("workload", "engine", "median", "of limit", "times ours", ""));
    for (Line line : lines) {
      cells.add(
          List.of(
              line.workload(),
              line.engine(),
              time(line.seconds()),
              Double.isNaN(line.share())
                  ? ""
                  : String.format(
                      Locale.ROOT, "%.2f %s", line.share(), line.bound() == Bound.FMA ? "P" : "R"),
              Double.isNaN(line.ratio()) ? "" : String.format(Locale.ROOT, "%.2f", line.ratio()),
              line.note()));
    }
    int columns = cells.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : cells) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row.get(c).length());
      }
    }
    for (List<String> row : cells) {
      StringBuilder text = new StringBuilder("  ");
      for (int c = 0; c < columns; c++) {
        text.append(row.get(c)).repeat(' ', widths[c] - row.get(c).length() + 2);
      }
      out.println(text.toString().stripTrailing());
    }
    out.flush();
  }

  private static String time(double seconds) {
    if (Double.isNaN(seconds)) {
      return "-";
    }
    return seconds < 1
        ? String.format(Locale.ROOT, "%.3g ms", seconds * 1000)
        : String.format(Locale.ROOT, "%.3g s", seconds);
  }
}
