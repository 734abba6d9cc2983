package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Area;
import dev.resid.experiments.report.Drawing.Box;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import dev.resid.experiments.report.JointPlot.Axes;
import dev.resid.experiments.report.Scale.Tick;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Puts a {@link JointPlot} on paper: points, histograms above and to the right, and legend. */
final class JointLayout {
  /** Bins of a histogram, of equal width on the paper. */
  static final int BINS = 30;

  private static final double WIDTH = 1000;
  private static final double MORE_WIDTH = 500;
  private static final double PANEL_WIDTH = 500;
  private static final double TOP = 112;
  private static final double PANEL_TOP = 32;
  private static final double PLOT_HEIGHT = 318;
  private static final double PANEL_BOTTOM = 48;
  private static final double BOTTOM = 78;
  private static final double LEFT = 76;
  private static final double RIGHT = 22;

  /** Height of the upper histogram, width of the right one. */
  private static final double HISTOGRAM = 62;

  private static final double GAP = 8;

  private static final double TITLE = 19;
  private static final double TEXT = 14;
  private static final double SMALL = 12.5;
  private static final double TINY = 11;

  private final JointPlot joint;
  private final List<Mark> marks = new ArrayList<>();

  private JointLayout(JointPlot joint) {
    this.joint = joint;
  }

  /** Which coordinate a histogram counts. */
  private enum Side {
    ABOVE,
    RIGHT
  }

  /** Returns the drawing of a whole figure: title, legend, panels side by side, source. */
  static Drawing of(JointPlot joint) {
    int n = joint.panels().size();
    double whole = Math.max(WIDTH, n * MORE_WIDTH);
    Legend legend = Legend.of(series(joint), whole);
    double top = TOP + legend.moreRoom();
    JointLayout layout = new JointLayout(joint);
    layout.text(24, 30, joint.title(), Ink.TEXT, TITLE, Align.START, Weight.BOLD);
    layout.text(24, 51, joint.subtitle(), Ink.MUTED, TEXT, Align.START, Weight.REGULAR);
    layout.marks.addAll(legend.marks());
    for (int i = 0; i < n; i++) {
      layout.panel(i, i * whole / n, top, whole / n);
    }
    double height = top + HISTOGRAM + GAP + PLOT_HEIGHT + BOTTOM;
    layout.text(24, height - 13, joint.source(), Ink.MUTED, SMALL, Align.START, Weight.REGULAR);
    return new Drawing(whole, height, joint.title() + ". " + joint.subtitle(), layout.marks);
  }

  /** Returns the drawing of one panel alone, for a page that has title and legend as text. */
  static Drawing panel(JointPlot joint, int number) {
    JointLayout layout = new JointLayout(joint);
    double width = joint.panels().size() == 1 ? WIDTH : PANEL_WIDTH;
    layout.panel(number, 0, PANEL_TOP, width);
    return new Drawing(
        width,
        PANEL_TOP + HISTOGRAM + GAP + PLOT_HEIGHT + PANEL_BOTTOM,
        joint.title() + ": " + joint.panels().get(number).title() + ". " + joint.subtitle(),
        layout.marks);
  }

  /** Returns the groups of all panels of which something is drawn. */
  static Stream<Series> series(JointPlot joint) {
    return joint.panels().stream()
        .flatMap(
            axes ->
                axes.groups().stream()
                    .filter(group -> ChartLayout.isDrawn(group, axes.x(), axes.y())));
  }

  private void panel(int number, double left, double top, double width) {
    Axes axes = joint.panels().get(number);
    List<Double> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    for (Series group : axes.groups()) {
      for (Value value : group.points()) {
        xs.add(value.x());
        ys.add(value.y());
      }
    }
    Plot plot =
        new Plot(
            Scale.holding(axes.x(), xs),
            Scale.holding(axes.y(), ys),
            left + LEFT,
            top + HISTOGRAM + GAP,
            width - LEFT - GAP - HISTOGRAM - RIGHT,
            PLOT_HEIGHT);
    text(left + LEFT, top - 10, axes.title(), Ink.TEXT, TEXT, Align.START, Weight.BOLD);
    grid(axes, plot, left);
    List<Mark> inside = new ArrayList<>();
    for (Series group : axes.groups()) {
      List<Value> points = group.points().stream().filter(plot::shows).toList();
      if (!points.isEmpty()) {
        inside.add(new Group(group.name(), plot.trace(group, points)));
      }
    }
    marks.add(new Group("panel " + number, inside));
    histograms(axes, plot, Side.ABOVE);
    histograms(axes, plot, Side.RIGHT);
  }

  private void grid(Axes axes, Plot plot, double left) {
    double bottom = plot.top() + plot.height();
    double right = plot.left() + plot.width();
    for (Tick tick : plot.y().ticks()) {
      double at = bottom - plot.height() * plot.y().part(tick.value());
      boolean zero = axes.y().kind() == AxisKind.SIGNED && tick.value() == 0;
      line(plot.left(), at, right, at, zero ? Ink.MUTED : Ink.GRID);
      text(plot.left() - 8, at + 4.5, tick.label(), Ink.MUTED, SMALL, Align.END, Weight.REGULAR);
    }
    for (Tick tick : plot.x().ticks()) {
      double at = plot.left() + plot.x().part(tick.value()) * plot.width();
      boolean zero = axes.x().kind() == AxisKind.SIGNED && tick.value() == 0;
      line(at, plot.top(), at, bottom, zero ? Ink.MUTED : Ink.GRID);
      line(at, bottom, at, bottom + 5, Ink.TEXT);
      text(at, bottom + 20, tick.label(), Ink.MUTED, SMALL, Align.MIDDLE, Weight.REGULAR);
    }
    line(plot.left(), bottom, right, bottom, Ink.TEXT);
    line(plot.left(), plot.top(), plot.left(), bottom, Ink.TEXT);
    double middle = plot.left() + plot.width() / 2;
    text(middle, bottom + 41, axes.x().label(), Ink.TEXT, TEXT, Align.MIDDLE, Weight.REGULAR);
    Point beside = new Point(left + 22, plot.top() + plot.height() / 2);
    marks.add(
        new Label(
            beside, axes.y().label(), Ink.TEXT, TEXT, Align.MIDDLE, Weight.REGULAR, Turn.UPWARDS));
  }

  /** Histograms of all groups over one axis, on a common scale of counts. */
  private void histograms(Axes axes, Plot plot, Side side) {
    int[][] counts = new int[axes.groups().size()][BINS];
    for (int g = 0; g < counts.length; g++) {
      for (Value value : axes.groups().get(g).points()) {
        if (plot.shows(value)) {
          double part = side == Side.ABOVE ? plot.x().part(value.x()) : plot.y().part(value.y());
          counts[g][Math.clamp((int) (part * BINS), 0, BINS - 1)]++;
        }
      }
    }
    int most = Math.max(1, Arrays.stream(counts).flatMapToInt(Arrays::stream).max().orElse(1));
    for (int g = 0; g < counts.length; g++) {
      Series group = axes.groups().get(g);
      if (Arrays.stream(counts[g]).sum() > 0) {
        List<Point> outline = outline(plot, side, counts[g], most);
        marks.add(
            new Group(
                group.name(),
                List.of(
                    new Area(outline, group.style().ink(), 0.14),
                    new Line(outline, group.style().ink(), 1.5, group.style().dash()))));
      }
    }
    countAxis(plot, side, most);
    tips(axes, plot, side, counts);
  }

  /** Returns a place in a histogram: along its axis and away from it, both from 0 to 1. */
  private static Point place(Plot plot, Side side, double along, double away) {
    return switch (side) {
      case ABOVE ->
          new Point(plot.left() + along * plot.width(), plot.top() - GAP - away * HISTOGRAM);
      case RIGHT ->
          new Point(
              plot.left() + plot.width() + GAP + away * HISTOGRAM,
              plot.top() + (1 - along) * plot.height());
    };
  }

  private static List<Point> outline(Plot plot, Side side, int[] counts, int most) {
    List<Point> outline = new ArrayList<>();
    outline.add(place(plot, side, 0, 0));
    for (int bin = 0; bin < BINS; bin++) {
      double away = (double) counts[bin] / most;
      outline.add(place(plot, side, (double) bin / BINS, away));
      outline.add(place(plot, side, (bin + 1.0) / BINS, away));
    }
    outline.add(place(plot, side, 1, 0));
    return outline;
  }

  private void countAxis(Plot plot, Side side, int most) {
    Point from = place(plot, side, 0, 0);
    Point to = place(plot, side, 1, 0);
    line(from.x(), from.y(), to.x(), to.y(), Ink.MUTED);
    String highest = String.valueOf(most);
    Point top = place(plot, side, side == Side.ABOVE ? 0 : 1, 1);
    if (side == Side.ABOVE) {
      text(top.x() - 8, top.y() + 8, highest, Ink.MUTED, TINY, Align.END, Weight.REGULAR);
      text(top.x() - 8, from.y() + 3, "0", Ink.MUTED, TINY, Align.END, Weight.REGULAR);
      double middle = top.y() + HISTOGRAM / 2 + 6;
      text(top.x() - 8, middle, joint.counted(), Ink.MUTED, TINY, Align.END, Weight.REGULAR);
    } else {
      double over = top.y() - 6;
      text(top.x(), over, highest, Ink.MUTED, TINY, Align.MIDDLE, Weight.REGULAR);
      text(from.x(), over, "0", Ink.MUTED, TINY, Align.MIDDLE, Weight.REGULAR);
      double middle = from.x() + HISTOGRAM / 2;
      text(middle, over - 14, joint.counted(), Ink.MUTED, TINY, Align.MIDDLE, Weight.REGULAR);
    }
  }

  /** Counts of every bin, shown when it is pointed at. */
  private void tips(Axes axes, Plot plot, Side side, int[][] counts) {
    Scale scale = side == Side.ABOVE ? plot.x() : plot.y();
    String symbol = side == Side.ABOVE ? axes.x().symbol() : axes.y().symbol();
    List<Mark> boxes = new ArrayList<>();
    for (int bin = 0; bin < BINS; bin++) {
      List<String> words = new ArrayList<>();
      for (int g = 0; g < counts.length; g++) {
        if (counts[g][bin] > 0) {
          words.add(axes.groups().get(g).name() + " " + counts[g][bin]);
        }
      }
      if (!words.isEmpty()) {
        Point one = place(plot, side, (double) bin / BINS, side == Side.ABOVE ? 1 : 0);
        Point other = place(plot, side, (bin + 1.0) / BINS, side == Side.ABOVE ? 0 : 1);
        String tip =
            symbol
                + " "
                + Numbers.significant(scale.at((double) bin / BINS), 3)
                + " to "
                + Numbers.significant(scale.at((bin + 1.0) / BINS), 3)
                + ": "
                + String.join(", ", words);
        boxes.add(
            new Box(
                new Point(one.x(), Math.min(one.y(), other.y())),
                new Point(other.x(), Math.max(one.y(), other.y())),
                Ink.PAPER,
                0,
                tip));
      }
    }
    marks.add(new Group("counts", boxes));
  }

  private void line(double x1, double y1, double x2, double y2, Ink ink) {
    marks.add(new Line(List.of(new Point(x1, y1), new Point(x2, y2)), ink, 1, Dash.SOLID));
  }

  private void text(
      double x, double y, String text, Ink ink, double size, Align align, Weight weight) {
    marks.add(new Label(new Point(x, y), text, ink, size, align, weight, Turn.ACROSS));
  }
}
