package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import java.util.ArrayList;
import java.util.List;

/** The outlines of data points, of about equal area. */
final class Symbols {
  private static final int CIRCLE_CORNERS = 16;

  private Symbols() {}

  /** Returns the corners of a symbol. */
  static List<Point> outline(Symbol symbol) {
    double r = symbol.size();
    return switch (symbol.form()) {
      case CIRCLE -> polygon(symbol.at(), CIRCLE_CORNERS, r, 0);
      case SQUARE -> polygon(symbol.at(), 4, r * 1.25, Math.PI / 4);
      case DIAMOND -> polygon(symbol.at(), 4, r * 1.3, 0);
      case TRIANGLE -> polygon(symbol.at(), 3, r * 1.35, -Math.PI / 2);
    };
  }

  private static List<Point> polygon(Point at, int corners, double radius, double first) {
    List<Point> outline = new ArrayList<>();
    for (int i = 0; i < corners; i++) {
      double angle = first + 2 * Math.PI * i / corners;
      outline.add(new Point(at.x() + radius * Math.cos(angle), at.y() + radius * Math.sin(angle)));
    }
    return outline;
  }
}
