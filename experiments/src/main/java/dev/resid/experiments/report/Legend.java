package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The names of series with a piece of each, in lines that fit a figure.
 *
 * @param entries a series for each name, in order, with its place
 */
record Legend(List<Entry> entries) {
  /** What each line after the first one takes. */
  static final double LINE = 21;

  private static final double FIRST_LINE = 72;
  private static final double MARGIN = 24;
  private static final double SAMPLE = 46;

  /** The same where the sample is a symbol alone. */
  private static final double SYMBOL = 20;

  private static final double BETWEEN = 30;
  private static final double TEXT = 14;

  /** A series with the place of its entry. */
  record Entry(Series series, double at, int line) {}

  /** Returns a series for each name that a legend has, in order. */
  static Map<String, Series> names(Stream<Series> series) {
    Map<String, Series> entries = new LinkedHashMap<>();
    series.forEach(one -> entries.putIfAbsent(one.name(), one));
    return entries;
  }

  /**
   * Returns the legend of a figure.
   *
   * @param series of all panels
   * @param whole width of the figure
   */
  static Legend of(Stream<Series> series, double whole) {
    List<Entry> placed = new ArrayList<>();
    double at = MARGIN;
    int line = 0;
    for (Series one : names(series).values()) {
      double width = room(one) + StrokeFont.get().width(one.name(), TEXT, Weight.REGULAR);
      if (at > MARGIN && at + width > whole - MARGIN) {
        at = MARGIN;
        line++;
      }
      placed.add(new Entry(one, at, line));
      at += width + BETWEEN;
    }
    return new Legend(placed);
  }

  /** Returns the room that lines after the first one take. */
  double moreRoom() {
    return entries.isEmpty() ? 0 : entries.getLast().line() * LINE;
  }

  /** Returns the entries as marks. */
  List<Mark> marks() {
    List<Mark> marks = new ArrayList<>();
    for (Entry entry : entries) {
      double line = FIRST_LINE + entry.line() * LINE;
      String name = entry.series().name();
      List<Mark> group = new ArrayList<>(sample(entry.at(), line - 4, entry.series()));
      group.add(
          new Label(
              new Point(entry.at() + room(entry.series()), line),
              name,
              Ink.TEXT,
              TEXT,
              Align.START,
              Weight.REGULAR,
              Turn.ACROSS));
      marks.add(new Group("legend " + name, group));
    }
    return marks;
  }

  private static double room(Series series) {
    return series.trace() == Trace.MARKS ? SYMBOL : SAMPLE;
  }

  /** Returns the drawing of a short piece of a series alone. */
  static Drawing sample(Series series) {
    return new Drawing(room(series) - 8, 14, series.name(), sample(0, 7, series));
  }

  private static List<Mark> sample(double x, double y, Series series) {
    Style style = series.style();
    List<Mark> sample = new ArrayList<>();
    if (series.trace() != Trace.MARKS) {
      List<Point> line = List.of(new Point(x, y), new Point(x + 38, y));
      sample.add(new Line(line, style.ink(), 2.2, style.dash()));
    }
    if (series.trace() != Trace.BARS && series.trace() != Trace.LINE) {
      Point middle = new Point(x + (room(series) - 8) / 2, y);
      sample.add(new Symbol(middle, style.form(), style.fill(), style.ink(), 3.6, ""));
    }
    return sample;
  }
}
