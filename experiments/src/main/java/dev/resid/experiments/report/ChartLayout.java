package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import dev.resid.experiments.report.Scale.Tick;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Puts a {@link Chart} on paper: scales, ticks, curves, labels and legend. */
final class ChartLayout {
  private static final double WIDTH = 1000;
  private static final double MORE_WIDTH = 330;
  private static final double TOP = 112;
  private static final double PLOT_HEIGHT = 318;
  private static final double BOTTOM = 78;
  private static final double LEFT = 76;
  private static final double PANEL_WIDTH = 500;
  private static final double PANEL_TOP = 32;
  private static final double PANEL_BOTTOM = 48;
  private static final double GAP = 52;
  private static final double LABEL_ROOM = 94;
  private static final double NO_LABEL_ROOM = 14;

  /** What the label of a panel's own axis takes between two panels. */
  private static final double AXIS_ROOM = 24;

  private static final double RIGHT = 8;
  private static final double LINE_HEIGHT = 15;

  private static final double TITLE = 19;
  private static final double TEXT = 14;
  private static final double SMALL = 12.5;

  private final Chart chart;
  private final double top;
  private final Scale x;
  private final double gap;
  private final double labelRoom;
  private final List<Mark> marks = new ArrayList<>();

  /** Vertical scale of the panel that is being drawn. */
  private Scale y;

  private ChartLayout(Chart chart, double top) {
    this.chart = chart;
    this.top = top;
    List<Double> xs = new ArrayList<>();
    boolean labels = false;
    for (Panel panel : chart.panels()) {
      panel.guide().ifPresent(guide -> xs.add(guide.x()));
      for (Series series : panel.series()) {
        series.points().forEach(value -> xs.add(value.x()));
        labels |= !series.label().isEmpty();
      }
    }
    this.x = Scale.holding(chart.x().kind(), xs);
    this.gap = GAP + (chart.panels().stream().anyMatch(p -> p.ownY().isPresent()) ? AXIS_ROOM : 0);
    this.labelRoom = labels ? LABEL_ROOM : NO_LABEL_ROOM;
  }

  /** Returns the vertical scale of a panel, shared by all panels without an axis of their own. */
  private Scale scale(Panel panel) {
    List<Double> ys = new ArrayList<>();
    boolean signed = panel.ownY().orElse(chart.y()).kind() == Chart.AxisKind.SIGNED;
    for (Panel other : chart.panels()) {
      boolean shared = panel.ownY().isEmpty() && other.ownY().isEmpty();
      if (shared || other.equals(panel)) {
        for (Series series : other.series()) {
          for (Value value : series.points()) {
            ys.add(value.y());
            ys.add(value.high());
            ys.add(signed ? value.low() : value.y());
          }
        }
      }
    }
    return Scale.holding(panel.ownY().orElse(chart.y()).kind(), ys);
  }

  /** Returns the drawing of a chart: title, legend, all panels side by side, source. */
  static Drawing of(Chart chart) {
    int n = chart.panels().size();
    double whole = WIDTH + Math.max(0, n - 2) * MORE_WIDTH;
    Legend legend = Legend.of(series(chart), whole);
    double top = TOP + legend.moreRoom();
    ChartLayout layout = new ChartLayout(chart, top);
    layout.frame(legend);
    double width = (whole - LEFT - RIGHT - (n - 1) * layout.gap - n * layout.labelRoom) / n;
    for (int i = 0; i < n; i++) {
      double left = LEFT + i * (width + layout.labelRoom + layout.gap);
      if (i == 0 || chart.panels().get(i).ownY().isPresent()) {
        layout.yLabel(chart.panels().get(i), left - LEFT);
      }
      layout.panel(chart.panels().get(i), i, left, width);
    }
    return new Drawing(
        whole, top + PLOT_HEIGHT + BOTTOM, chart.title() + ". " + chart.subtitle(), layout.marks);
  }

  /** Returns the drawing of one panel alone, for a page that has title and legend as text. */
  static Drawing panel(Chart chart, int number) {
    ChartLayout layout = new ChartLayout(chart, PANEL_TOP);
    layout.yLabel(chart.panels().get(number), 0);
    double width = chart.panels().size() == 1 ? WIDTH : PANEL_WIDTH;
    layout.panel(chart.panels().get(number), number, LEFT, width - LEFT - layout.labelRoom);
    return new Drawing(
        width,
        PANEL_TOP + PLOT_HEIGHT + PANEL_BOTTOM,
        chart.title() + ": " + chart.panels().get(number).title() + ". " + chart.subtitle(),
        layout.marks);
  }

  /** Returns the series of all panels. */
  static Stream<Series> series(Chart chart) {
    return chart.panels().stream().flatMap(panel -> panel.series().stream());
  }

  private void frame(Legend legend) {
    text(24, 30, chart.title(), Ink.TEXT, TITLE, Align.START, Weight.BOLD);
    text(24, 51, chart.subtitle(), Ink.MUTED, TEXT, Align.START, Weight.REGULAR);
    text(
        24,
        top + PLOT_HEIGHT + BOTTOM - 13,
        chart.source(),
        Ink.MUTED,
        SMALL,
        Align.START,
        Weight.REGULAR);
    marks.addAll(legend.marks());
  }

  private void yLabel(Panel panel, double left) {
    marks.add(
        new Label(
            new Point(left + 22, top + PLOT_HEIGHT / 2),
            panel.ownY().orElse(chart.y()).label(),
            Ink.TEXT,
            TEXT,
            Align.MIDDLE,
            Weight.REGULAR,
            Turn.UPWARDS));
  }

  private void panel(Panel panel, int number, double left, double width) {
    y = scale(panel);
    grid(panel, left, width);
    List<Double> ends = new ArrayList<>();
    List<Series> shown = new ArrayList<>();
    List<Mark> inside = new ArrayList<>();
    Plot plot = new Plot(x, y, left, top, width, PLOT_HEIGHT);
    for (Series series : panel.series()) {
      List<Value> points = series.points().stream().filter(plot::shows).toList();
      if (!points.isEmpty()) {
        inside.add(new Group(series.name(), plot.trace(series, points)));
        if (!series.label().isEmpty()) {
          shown.add(series);
          ends.add(yAt(points.getLast().y()));
        }
      }
    }
    marks.add(new Group("panel " + number, inside));
    endLabels(shown, ends, left + width);
  }

  private void grid(Panel panel, double left, double width) {
    double bottom = top + PLOT_HEIGHT;
    for (Tick tick : y.ticks()) {
      double at = yAt(tick.value());
      line(left, at, left + width, at, Ink.GRID, 1);
      text(left - 8, at + 4.5, tick.label(), Ink.MUTED, SMALL, Align.END, Weight.REGULAR);
    }
    for (Tick tick : x.ticks()) {
      double at = left + x.part(tick.value()) * width;
      line(at, bottom, at, bottom + 5, Ink.TEXT, 1);
      text(at, bottom + 20, tick.label(), Ink.MUTED, SMALL, Align.MIDDLE, Weight.REGULAR);
    }
    line(left, bottom, left + width, bottom, Ink.TEXT, 1.2);
    text(left, top - 10, panel.title(), Ink.TEXT, TEXT, Align.START, Weight.BOLD);
    text(
        left + width / 2,
        bottom + 41,
        chart.x().label(),
        Ink.TEXT,
        TEXT,
        Align.MIDDLE,
        Weight.REGULAR);
    panel
        .guide()
        .filter(guide -> x.shows(guide.x()))
        .ifPresent(
            guide -> {
              double at = left + x.part(guide.x()) * width;
              marks.add(
                  new Line(
                      List.of(new Point(at, top), new Point(at, bottom)),
                      Ink.MUTED,
                      1,
                      Dash.DASHED));
              boolean beyond = at > left + width * 0.55;
              text(
                  at + (beyond ? -6 : 6),
                  top + 11,
                  guide.label(),
                  Ink.MUTED,
                  SMALL,
                  beyond ? Align.END : Align.START,
                  Weight.REGULAR);
            });
  }

  /** Labels at the curves' ends, moved apart where they would overlap. */
  private void endLabels(List<Series> series, List<Double> ends, double right) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < series.size(); i++) {
      order.add(i);
    }
    order.sort(Comparator.comparing(ends::get));
    double[] at = new double[order.size()];
    for (int k = 0; k < at.length; k++) {
      double wanted = ends.get(order.get(k));
      at[k] = k == 0 ? wanted : Math.max(wanted, at[k - 1] + LINE_HEIGHT);
    }
    // What was pushed below the axis moves up again, and what is above it with it.
    double limit = top + PLOT_HEIGHT - 2;
    for (int k = at.length - 1; k >= 0; k--) {
      at[k] = Math.min(at[k], limit);
      limit = at[k] - LINE_HEIGHT;
    }
    for (int k = 0; k < at.length; k++) {
      Series one = series.get(order.get(k));
      marks.add(
          new Group(
              "end " + one.name(),
              List.of(
                  label(
                      right + 8, at[k] + 4.5, one.label(), one.style().ink(), TEXT, Align.START))));
    }
  }

  private double yAt(double value) {
    return top + PLOT_HEIGHT * (1 - y.part(value));
  }

  private void line(double x1, double y1, double x2, double y2, Ink ink, double width) {
    marks.add(new Line(List.of(new Point(x1, y1), new Point(x2, y2)), ink, width, Dash.SOLID));
  }

  private void text(
      double x, double y, String text, Ink ink, double size, Align align, Weight weight) {
    marks.add(new Label(new Point(x, y), text, ink, size, align, weight, Turn.ACROSS));
  }

  private static Label label(double x, double y, String text, Ink ink, double size, Align align) {
    return new Label(new Point(x, y), text, ink, size, align, Weight.REGULAR, Turn.ACROSS);
  }
}
