package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Drawing.Area;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import java.util.ArrayList;
import java.util.List;

/**
 * The area between the axes of a panel, where series are drawn.
 *
 * @param x horizontal scale
 * @param y vertical scale
 * @param left where x begins
 * @param top where y ends
 * @param width of the area
 * @param height of the area
 */
record Plot(Scale x, Scale y, double left, double top, double width, double height) {
  /** Symbols on a curve of many points. */
  private static final int SYMBOLS = 10;

  /** Of more points than this each is drawn smaller. */
  private static final int MANY = 150;

  /** Returns whether a point can be shown on these scales. */
  boolean shows(Value value) {
    return x.shows(value.x()) && y.shows(value.y());
  }

  /** Returns where a point is. */
  Point at(Value value) {
    return new Point(xAt(value.x()), yAt(value.y()));
  }

  private double xAt(double value) {
    return left + x.part(value) * width;
  }

  private double yAt(double value) {
    return top + height * (1 - y.part(value));
  }

  /**
   * Returns the marks of a series.
   *
   * @param points its points that can be shown, at least one
   */
  List<Mark> trace(Series series, List<Value> points) {
    return switch (series.trace()) {
      case POINTS, CURVE, LINE, MARKS -> curve(series, points);
      case STEPS, BARS -> steps(series, points);
    };
  }

  private List<Mark> curve(Series series, List<Value> points) {
    List<Point> line = new ArrayList<>();
    List<Point> band = new ArrayList<>();
    List<Point> lower = new ArrayList<>();
    List<Mark> symbols = new ArrayList<>();
    Style style = series.style();
    int every = series.trace() == Trace.CURVE ? Math.max(1, points.size() / SYMBOLS) : 1;
    boolean hasBand = false;
    // A band between points that nothing connects would say something about what lies between.
    boolean marks = series.trace() == Trace.MARKS;
    List<Mark> bars = new ArrayList<>();
    for (int i = 0; i < points.size(); i++) {
      Value value = points.get(i);
      double at = xAt(value.x());
      Point middle = new Point(at, yAt(value.y()));
      line.add(middle);
      band.add(new Point(at, yAt(value.high())));
      double low = y.shows(value.low()) ? Math.max(value.low(), y.min()) : y.min();
      lower.add(new Point(at, yAt(low)));
      if (value.high() > value.low()) {
        hasBand |= !marks;
        bars.add(new Line(List.of(lower.getLast(), band.getLast()), style.ink(), 1.3, Dash.SOLID));
      }
      if (i % every == 0 && series.trace() != Trace.LINE) {
        symbols.add(symbol(series, middle, value));
      }
    }
    band.addAll(lower.reversed());
    List<Mark> group = new ArrayList<>();
    if (hasBand) {
      group.add(new Area(band, style.ink(), 0.17));
    }
    if (marks) {
      group.addAll(bars);
    } else {
      group.add(new Line(line, style.ink(), 2.2, style.dash()));
    }
    group.addAll(symbols);
    return group;
  }

  /** Each value from its x to the next one's. */
  private List<Mark> steps(Series series, List<Value> points) {
    boolean bars = series.trace() == Trace.BARS;
    List<Point> line = new ArrayList<>();
    List<Mark> symbols = new ArrayList<>();
    double zero = yAt(y.min());
    if (bars) {
      line.add(new Point(xAt(points.getFirst().x()), zero));
    }
    int every = bars ? 1 : Math.max(1, points.size() / (3 * SYMBOLS));
    for (int i = 0; i < points.size(); i++) {
      boolean last = i == points.size() - 1;
      Value value = points.get(i);
      double at = xAt(value.x());
      double next = last ? at : xAt(points.get(i + 1).x());
      double height = bars && last ? zero : yAt(value.y());
      line.add(new Point(at, height));
      line.add(new Point(next, height));
      if (!(bars && last) && i % every == 0) {
        symbols.add(
            bars
                ? bar(new Point((at + next) / 2, height), value, points.get(i + 1).x())
                : symbol(series, new Point(at, height), value));
      }
    }
    Style style = series.style();
    List<Mark> group = new ArrayList<>();
    if (bars) {
      group.add(new Area(line, style.ink(), 0.1));
    }
    group.add(new Line(line, style.ink(), 1.8, style.dash()));
    group.addAll(symbols);
    return group;
  }

  private static Symbol symbol(Series series, Point at, Value value) {
    double size =
        switch (series.trace()) {
          case POINTS, CURVE, LINE -> 2.9;
          case MARKS -> series.points().size() > MANY ? 3.2 : 4.2;
          case STEPS, BARS -> 1.9;
        };
    Style style = series.style();
    return new Symbol(at, style.form(), style.fill(), style.ink(), size, tip(value));
  }

  /** The place of a bar; a bar around one whole number is said to be at it. */
  private static Symbol bar(Point at, Value value, double end) {
    double middle = (value.x() + end) / 2;
    boolean one =
        Math.abs(end - value.x() - 1) < 1e-9 && Math.abs(middle - Math.rint(middle)) < 1e-9;
    String where =
        one ? Numbers.brief(middle) : Numbers.brief(value.x()) + " to " + Numbers.brief(end);
    return Symbol.unseen(at, where + "|" + Numbers.significant(value.y(), 3));
  }

  private static String tip(Value value) {
    String point = Numbers.brief(value.x()) + "|" + Numbers.significant(value.y(), 3);
    boolean named = !value.name().isEmpty();
    String name = named ? "|" + value.name().replace('|', '¦') : "";
    if (value.low() == value.high()) {
      return point + (named ? "||" : "") + name;
    }
    return point
        + "|"
        + Numbers.significant(value.low(), 3)
        + "|"
        + Numbers.significant(value.high(), 3)
        + name;
  }
}
