package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
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

  /** What the numbers of a vertical axis may take of {@link #LEFT}; wider ones take more. */
  private static final double NUMBER_ROOM = 40;

  private static final double PANEL_WIDTH = 500;
  private static final double PANEL_TOP = 32;
  private static final double PANEL_BOTTOM = 48;

  /** Between panels one above the other. */
  private static final double ROW_GAP = 16;

  private static final double GAP = 52;
  private static final double LABEL_ROOM = 94;
  private static final double NO_LABEL_ROOM = 14;

  /** What the label of a panel's own axis takes between two panels. */
  private static final double AXIS_ROOM = 24;

  private static final double RIGHT = 8;
  private static final double LINE_HEIGHT = 15;

  private final Chart chart;
  private final Scale x;
  private final double left;
  private final double gap;
  private final double labelRoom;
  private final Frame frame = new Frame();
  private final List<Mark> marks = frame.marks();

  private ChartLayout(Chart chart) {
    this.chart = chart;
    List<Double> xs = new ArrayList<>();
    boolean labels = false;
    for (Panel panel : chart.panels()) {
      panel.guide().ifPresent(guide -> xs.add(guide.x()));
      for (Series series : panel.series()) {
        series.points().forEach(value -> xs.add(value.x()));
        labels |= !series.label().isEmpty();
      }
    }
    this.x = Scale.holding(chart.x(), xs);
    boolean ownAxes = chart.panels().stream().anyMatch(p -> p.ownY().isPresent());
    double widest =
        chart.panels().stream().mapToDouble(p -> Frame.widest(scale(p))).max().orElse(0);
    double more = Math.max(0, widest - NUMBER_ROOM);
    this.left = LEFT + more;
    this.gap = GAP + (ownAxes ? AXIS_ROOM + more : 0);
    this.labelRoom = labels ? LABEL_ROOM : NO_LABEL_ROOM;
  }

  /** Returns the vertical scale of a panel, shared by all panels without an axis of their own. */
  private Scale scale(Panel panel) {
    List<Double> ys = new ArrayList<>();
    AxisSpec axis = panel.ownY().orElse(chart.y());
    boolean signed = axis.kind() == Chart.AxisKind.SIGNED;
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
    return Scale.holding(axis, ys);
  }

  /** Returns how many panels stand side by side: four are two lines of two. */
  private static int across(int panels) {
    return panels <= 3 ? panels : panels == 4 ? 2 : 3;
  }

  /** Returns the drawing of a chart: title, legend, all panels, source. */
  static Drawing of(Chart chart) {
    int n = chart.panels().size();
    int across = across(n);
    double whole = WIDTH + Math.max(0, across - 2) * MORE_WIDTH;
    Legend legend = Legend.of(series(chart), whole);
    double top = TOP + legend.moreRoom();
    ChartLayout layout = new ChartLayout(chart);
    double width =
        (whole - layout.left - RIGHT - (across - 1) * layout.gap - across * layout.labelRoom)
            / across;
    double names = Frame.nameRoom(chart.x(), width);
    double row = PANEL_TOP + PLOT_HEIGHT + PANEL_BOTTOM + names + ROW_GAP;
    double height = top + (n - 1) / across * row + PLOT_HEIGHT + names + BOTTOM;
    layout.frame.words(chart, height);
    layout.marks.addAll(legend.marks());
    for (int i = 0; i < n; i++) {
      Panel panel = chart.panels().get(i);
      double left = layout.left + i % across * (width + layout.labelRoom + layout.gap);
      double panelTop = top + i / across * row;
      if (i % across == 0 || panel.ownY().isPresent()) {
        layout.yLabel(panel, left - layout.left, panelTop);
      }
      layout.panel(panel, i, left, panelTop, width);
    }
    return new Drawing(whole, height, chart.title() + ". " + chart.subtitle(), layout.marks);
  }

  /** Returns the drawing of one panel alone, for a page that has title and legend as text. */
  static Drawing panel(Chart chart, int number) {
    ChartLayout layout = new ChartLayout(chart);
    Panel panel = chart.panels().get(number);
    layout.yLabel(panel, 0, PANEL_TOP);
    double width = chart.panels().size() == 1 ? WIDTH : PANEL_WIDTH;
    double plotWidth = width - layout.left - layout.labelRoom;
    layout.panel(panel, number, layout.left, PANEL_TOP, plotWidth);
    return new Drawing(
        width,
        PANEL_TOP + PLOT_HEIGHT + PANEL_BOTTOM + Frame.nameRoom(chart.x(), plotWidth),
        chart.title() + ": " + panel.title() + ". " + chart.subtitle(),
        layout.marks);
  }

  /** Returns the series of all panels of which something is drawn. */
  static Stream<Series> series(Chart chart) {
    return chart.panels().stream()
        .flatMap(
            panel -> {
              AxisSpec y = panel.ownY().orElse(chart.y());
              return panel.series().stream().filter(one -> isDrawn(one, chart.x(), y));
            });
  }

  /** Returns whether a series has a point that can be shown on two axes. */
  static boolean isDrawn(Series series, AxisSpec x, AxisSpec y) {
    return series.points().stream()
        .anyMatch(
            value ->
                (x.kind() != Chart.AxisKind.LOG || value.x() > 0)
                    && (y.kind() != Chart.AxisKind.LOG || value.y() > 0));
  }

  private void yLabel(Panel panel, double left, double top) {
    frame.beside(left + 22, top + PLOT_HEIGHT / 2, panel.ownY().orElse(chart.y()).label());
  }

  private void panel(Panel panel, int number, double left, double top, double width) {
    Plot plot = new Plot(x, scale(panel), left, top, width, PLOT_HEIGHT);
    frame.axes(plot, panel.title(), chart.x());
    panel.guide().filter(line -> x.shows(line.x())).ifPresent(line -> guide(plot, line));
    List<Double> ends = new ArrayList<>();
    List<Series> shown = new ArrayList<>();
    List<Mark> inside = new ArrayList<>();
    for (Series series : panel.series()) {
      List<Value> points = series.points().stream().filter(plot::shows).toList();
      if (!points.isEmpty()) {
        inside.add(new Group(series.name(), plot.trace(series, points)));
        if (!series.label().isEmpty()) {
          shown.add(series);
          ends.add(top + PLOT_HEIGHT * (1 - plot.y().part(points.getLast().y())));
        }
      }
    }
    marks.add(new Group("panel " + number, inside));
    endLabels(shown, ends, plot);
  }

  private void guide(Plot plot, Guide guide) {
    double at = plot.left() + x.part(guide.x()) * plot.width();
    Point from = new Point(at, plot.top());
    Point to = new Point(at, plot.top() + plot.height());
    marks.add(new Line(List.of(from, to), Ink.MUTED, 1, Dash.DASHED));
    boolean beyond = at > plot.left() + plot.width() * 0.55;
    frame.text(
        at + (beyond ? -6 : 6),
        plot.top() + 11,
        guide.label(),
        Ink.MUTED,
        Frame.SMALL,
        beyond ? Align.END : Align.START,
        Weight.REGULAR);
  }

  /** Labels at the curves' ends, moved apart where they would overlap. */
  private void endLabels(List<Series> series, List<Double> ends, Plot plot) {
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
    double limit = plot.top() + PLOT_HEIGHT - 2;
    for (int k = at.length - 1; k >= 0; k--) {
      at[k] = Math.min(at[k], limit);
      limit = at[k] - LINE_HEIGHT;
    }
    double right = plot.left() + plot.width();
    for (int k = 0; k < at.length; k++) {
      Series one = series.get(order.get(k));
      Label label =
          new Label(
              new Point(right + 8, at[k] + 4.5),
              one.label(),
              one.style().ink(),
              Frame.TEXT,
              Align.START,
              Weight.REGULAR,
              Turn.ACROSS);
      marks.add(new Group("end " + one.name(), List.of(label)));
    }
  }
}
