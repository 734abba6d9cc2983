package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import dev.resid.experiments.report.Scale.Tick;
import java.util.ArrayList;
import java.util.List;

/** What is drawn around data: grid, ticks, and the words at the axes. */
final class Frame {
  static final double TITLE = 19;
  static final double TEXT = 14;
  static final double SMALL = 12.5;

  /** Size of names at an axis. */
  private static final double TINY = 11.5;

  /** Fonts of a browser are up to so much wider than the strokes that widths are measured with. */
  private static final double WIDER = 1.18;

  private static final int MOST_LETTERS = 26;

  /** What a label beside an axis may take before it is two lines. */
  private static final double LONGEST = 330;

  private final List<Mark> marks = new ArrayList<>();

  /** Returns what was drawn. */
  List<Mark> marks() {
    return marks;
  }

  /** Returns the room that names below an axis take besides that of numbers. */
  static double nameRoom(AxisSpec axis, double plotWidth) {
    if (axis.names().isEmpty() || across(axis, plotWidth)) {
      return 0;
    }
    double longest = axis.names().stream().mapToDouble(Frame::width).max().orElse(0);
    return Math.max(0, longest - 8);
  }

  private static double width(String name) {
    return WIDER * StrokeFont.get().width(shortened(name), TINY, Weight.REGULAR);
  }

  /** Returns the width of the widest number of a vertical axis. */
  static double widest(Scale y) {
    return y.ticks().stream()
        .mapToDouble(tick -> WIDER * StrokeFont.get().width(tick.label(), SMALL, Weight.REGULAR))
        .max()
        .orElse(0);
  }

  private static boolean across(AxisSpec axis, double plotWidth) {
    double room = plotWidth / axis.names().size() - 8;
    return axis.names().stream().allMatch(name -> width(name) <= room);
  }

  private static String shortened(String name) {
    return name.length() <= MOST_LETTERS ? name : name.substring(0, MOST_LETTERS - 1) + "…";
  }

  /** Draws horizontal lines at the ticks, both axes' labels, and the title above. */
  void axes(Plot plot, String title, AxisSpec axis) {
    double bottom = plot.top() + plot.height();
    double left = plot.left();
    double right = left + plot.width();
    for (Tick tick : plot.y().ticks()) {
      double at = plot.top() + plot.height() * (1 - plot.y().part(tick.value()));
      line(left, at, right, at, Ink.GRID, 1);
      text(left - 8, at + 4.5, tick.label(), Ink.MUTED, SMALL, Align.END, Weight.REGULAR);
    }
    boolean across = axis.names().isEmpty() || across(axis, plot.width());
    for (Tick tick : plot.x().ticks()) {
      double at = left + plot.x().part(tick.value()) * plot.width();
      line(at, bottom, at, bottom + 5, Ink.TEXT, 1);
      if (!across) {
        Point below = new Point(at + 4, bottom + 9);
        marks.add(
            new Label(
                below,
                shortened(tick.label()),
                Ink.MUTED,
                TINY,
                Align.END,
                Weight.REGULAR,
                Turn.UPWARDS));
      } else {
        double size = axis.names().isEmpty() ? SMALL : TINY;
        text(at, bottom + 20, tick.label(), Ink.MUTED, size, Align.MIDDLE, Weight.REGULAR);
      }
    }
    line(left, bottom, right, bottom, Ink.TEXT, 1.2);
    text(left, plot.top() - 10, title, Ink.TEXT, TEXT, Align.START, Weight.BOLD);
    text(
        left + plot.width() / 2,
        bottom + 41 + nameRoom(axis, plot.width()),
        axis.label(),
        Ink.TEXT,
        TEXT,
        Align.MIDDLE,
        Weight.REGULAR);
  }

  /** Writes the label of a vertical axis, in two lines if it is long. */
  void beside(double x, double middle, String label) {
    double width = WIDER * StrokeFont.get().width(label, TEXT, Weight.REGULAR);
    int half = width > LONGEST ? label.indexOf(' ', label.length() * 2 / 5) : -1;
    if (half > 0) {
      beside(x - 9, middle, label.substring(0, half));
      beside(x + 8, middle, label.substring(half + 1));
      return;
    }
    Point at = new Point(x, middle);
    marks.add(new Label(at, label, Ink.TEXT, TEXT, Align.MIDDLE, Weight.REGULAR, Turn.UPWARDS));
  }

  /** Writes title, subtitle and source of a figure of its own. */
  void words(Picture picture, double height) {
    text(24, 30, picture.title(), Ink.TEXT, TITLE, Align.START, Weight.BOLD);
    text(24, 51, picture.subtitle(), Ink.MUTED, TEXT, Align.START, Weight.REGULAR);
    text(24, height - 13, picture.source(), Ink.MUTED, SMALL, Align.START, Weight.REGULAR);
  }

  void line(double x1, double y1, double x2, double y2, Ink ink, double width) {
    marks.add(new Line(List.of(new Point(x1, y1), new Point(x2, y2)), ink, width, Dash.SOLID));
  }

  void text(double x, double y, String text, Ink ink, double size, Align align, Weight weight) {
    marks.add(new Label(new Point(x, y), text, ink, size, align, weight, Turn.ACROSS));
  }
}
