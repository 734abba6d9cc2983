package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Box;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import dev.resid.experiments.report.Drawing.Weight;
import dev.resid.experiments.report.ParallelPlot.Thread;
import dev.resid.experiments.report.Scale.Tick;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Puts a {@link ParallelPlot} on paper: axes, lines, and the scale of colours. */
final class ParallelLayout {
  private static final double WIDTH = 1000;
  private static final double TOP = 118;
  private static final double PANEL_TOP = 14;
  private static final double PLOT_HEIGHT = 318;
  private static final double BOTTOM = 78;
  private static final double PANEL_BOTTOM = 48;
  private static final double LEFT = 76;
  private static final double RIGHT = 14;

  /** Colours of the scale that is drawn. */
  private static final int STEPS = 60;

  private static final double STEP_WIDTH = 3;

  /** What the numbers at the ends of the scale take. */
  private static final double SCALE_ENDS = 132;

  private final ParallelPlot plot;
  private final double low;
  private final double high;
  private final Frame frame = new Frame();
  private final List<Mark> marks = frame.marks();

  private ParallelLayout(ParallelPlot plot) {
    this.plot = plot;
    this.low = plot.lines().stream().mapToDouble(Thread::shade).min().orElseThrow();
    this.high = plot.lines().stream().mapToDouble(Thread::shade).max().orElseThrow();
  }

  /** Returns the drawing of a whole figure. */
  static Drawing of(ParallelPlot plot) {
    ParallelLayout layout = new ParallelLayout(plot);
    double height = TOP + PLOT_HEIGHT + BOTTOM + layout.names();
    layout.frame.words(plot, height);
    layout.scale(24, 66);
    double after = 24 + STEPS * STEP_WIDTH + SCALE_ENDS;
    layout.frame.text(after, 79, plot.colour(), Ink.TEXT, Frame.SMALL, Align.START, Weight.REGULAR);
    layout.lines(TOP);
    return new Drawing(WIDTH, height, plot.title() + ". " + plot.subtitle(), layout.marks);
  }

  /** Returns the drawing of axes and lines alone, for a page that has the title as text. */
  static Drawing panel(ParallelPlot plot) {
    ParallelLayout layout = new ParallelLayout(plot);
    layout.lines(PANEL_TOP);
    return new Drawing(
        WIDTH,
        PANEL_TOP + PLOT_HEIGHT + PANEL_BOTTOM + layout.names(),
        plot.title() + ". " + plot.subtitle(),
        layout.marks);
  }

  /** Returns the drawing of the scale of colours alone. */
  static Drawing scale(ParallelPlot plot) {
    ParallelLayout layout = new ParallelLayout(plot);
    layout.scale(2, 2);
    return new Drawing(STEPS * STEP_WIDTH + SCALE_ENDS, 22, plot.colour(), layout.marks);
  }

  private static double plotWidth() {
    return WIDTH - LEFT - RIGHT;
  }

  private double names() {
    return Frame.nameRoom(plot.x(), plotWidth());
  }

  private double part(double shade) {
    return high > low ? (shade - low) / (high - low) : 0.5;
  }

  private void scale(double x, double y) {
    double left = x + 62;
    String least = Numbers.significant(low, 3);
    frame.text(left - 8, y + 13, least, Ink.MUTED, Frame.SMALL, Align.END, Weight.REGULAR);
    for (int i = 0; i < STEPS; i++) {
      Point from = new Point(left + i * STEP_WIDTH, y + 1);
      // A little wider than a step, so that no gaps shine through.
      Point to = new Point(from.x() + STEP_WIDTH + (i == STEPS - 1 ? 0 : 0.5), y + 17);
      marks.add(new Box(from, to, Colour.Between.ramp((i + 0.5) / STEPS), 1, ""));
    }
    double right = left + STEPS * STEP_WIDTH;
    String most = Numbers.significant(high, 3);
    frame.text(right + 8, y + 13, most, Ink.MUTED, Frame.SMALL, Align.START, Weight.REGULAR);
  }

  private void lines(double top) {
    List<Double> values = plot.lines().stream().flatMap(one -> one.values().stream()).toList();
    Scale x = Scale.holding(plot.x(), List.of());
    Scale y = Scale.holding(plot.y(), values);
    Plot area = new Plot(x, y, LEFT, top, plotWidth(), PLOT_HEIGHT);
    frame.beside(22, top + PLOT_HEIGHT / 2, plot.y().label());
    frame.axes(area, "", plot.x());
    for (Tick axis : x.ticks()) {
      double at = LEFT + x.part(axis.value()) * plotWidth();
      frame.line(at, top, at, top + PLOT_HEIGHT, Ink.GRID, 1);
    }
    List<Mark> inside = new ArrayList<>();
    plot.lines().stream()
        .sorted(Comparator.comparingDouble(Thread::shade))
        .forEach(line -> line(area, line).ifPresent(inside::add));
    marks.add(new Group("panel 0", inside));
  }

  private java.util.Optional<Group> line(Plot area, Thread thread) {
    List<Point> points = new ArrayList<>();
    List<Mark> group = new ArrayList<>();
    for (int axis = 0; axis < thread.values().size(); axis++) {
      Value value = Value.at(axis + 1, thread.values().get(axis));
      if (Double.isFinite(value.y()) && area.shows(value)) {
        Point at = area.at(value);
        points.add(at);
        String tip =
            plot.x().names().get(axis)
                + "|"
                + Numbers.significant(value.y(), 3)
                + "|||"
                + thread.name();
        group.add(Symbol.unseen(at, tip));
      }
    }
    if (points.isEmpty()) {
      return java.util.Optional.empty();
    }
    group.addFirst(new Line(points, Colour.Between.ramp(part(thread.shade())), 1.4, Dash.SOLID));
    return java.util.Optional.of(new Group(thread.name(), group));
  }
}
