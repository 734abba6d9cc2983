package dev.resid.benchmarks.table;

import dev.resid.benchmarks.work.Bound;
import java.util.List;

/**
 * A line of the table: one engine at one workload.
 *
 * @param group which part of the table
 * @param workload with its sizes
 * @param engine ours, a plainer way of ours, or a peer
 * @param bound what limits the workload
 * @param amount operations or bytes of a unit
 * @param seconds median of a unit; NaN if it was not timed
 * @param fastest seconds of the fastest repetition
 * @param slowest seconds of the slowest repetition
 * @param repetitions how many
 * @param limit median of operations or bytes a second at the same time; 0 for none
 * @param share median over the repetitions of the part of the limit that was used; NaN for none
 * @param ratio median over the repetitions of this engine's seconds divided by ours
 * @param note what else is known, or why it was not timed
 */
record Line(
    String group,
    String workload,
    String engine,
    Bound bound,
    double amount,
    double seconds,
    double fastest,
    double slowest,
    int repetitions,
    double limit,
    double share,
    double ratio,
    String note) {
  /** The names of the columns of {@link #cells}. */
  static final List<String> COLUMNS =
      List.of(
          "group",
          "workload",
          "engine",
          "bound",
          "amount",
          "seconds",
          "fastest",
          "slowest",
          "repetitions",
          "limit_per_second",
          "share_of_limit",
          "times_ours",
          "note");

  /** Returns a line of an engine that was not timed. */
  static Line untimed(String group, String workload, String engine, Bound bound, String why) {
    double none = Double.NaN;
    return new Line(group, workload, engine, bound, none, none, none, none, 0, 0, none, none, why);
  }

  /** Returns the line with a note, after the one it has. */
  Line noted(String text) {
    String both = note.isEmpty() ? text : note + "; " + text;
    return new Line(
        group,
        workload,
        engine,
        bound,
        amount,
        seconds,
        fastest,
        slowest,
        repetitions,
        limit,
        share,
        ratio,
        both);
  }

  /** Returns the cells as text, in the order of {@link #COLUMNS}. */
  List<String> cells() {
    return List.of(
        group,
        workload,
        engine,
        bound.name(),
        Double.toString(amount),
        Double.toString(seconds),
        Double.toString(fastest),
        Double.toString(slowest),
        Integer.toString(repetitions),
        Double.toString(limit),
        Double.toString(share),
        Double.toString(ratio),
        note);
  }

  /** Returns the line of cells. */
  static Line of(List<String> cells) {
    return new Line(
        cells.get(0),
        cells.get(1),
        cells.get(2),
        Bound.valueOf(cells.get(3)),
        Double.parseDouble(cells.get(4)),
        Double.parseDouble(cells.get(5)),
        Double.parseDouble(cells.get(6)),
        Double.parseDouble(cells.get(7)),
        Integer.parseInt(cells.get(8)),
        Double.parseDouble(cells.get(9)),
        Double.parseDouble(cells.get(10)),
        Double.parseDouble(cells.get(11)),
        cells.get(12));
  }
}
