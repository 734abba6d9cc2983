package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Box;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import dev.resid.experiments.report.HeatMap.Cells;
import java.util.ArrayList;
import java.util.List;

/** Puts a {@link HeatMap} on paper: cells, names of rows and columns, and the scale of colours. */
final class HeatMapLayout {
  private static final double PANEL_WIDTH = 500;
  private static final double WIDTH = 1000;
  private static final double LEFT = 76;
  private static final double RIGHT = 14;
  private static final double HEAD = 100;
  private static final double PANEL_TOP = 30;
  private static final double FOOT = 34;
  private static final double COLUMN_AXIS = 22;
  private static final double MOST_HEIGHT = 300;
  private static final double ROW_HEIGHT = 34;
  private static final double LETTER = 6.4;

  /** Letters of a name that are written; the rest is in tips. */
  private static final int MOST_LETTERS = 26;

  private static final double TITLE = 19;
  private static final double TEXT = 14;
  private static final double SMALL = 12.5;
  private static final double TINY = 11;

  /** Colours of the scale that is drawn, from the lowest to the highest number. */
  private static final int STEPS = 21;

  private static final double STEP_WIDTH = 12;

  /** What the numbers at the ends of the scale take. */
  private static final double SCALE_ENDS = 132;

  /** Fonts of a browser are up to so much wider than the strokes that widths are measured with. */
  private static final double WIDER = 1.18;

  /** Part of the largest number up to which letters on its colour are white on a dark page. */
  private static final double FAINT = 0.61;

  /** Part from which blue is dark enough for white letters on a light page; vermilion never is. */
  private static final double STRONG = 0.93;

  private final HeatMap map;
  private final double largest;
  private final List<Mark> marks = new ArrayList<>();

  private HeatMapLayout(HeatMap map) {
    this.map = map;
    this.largest = map.largest();
  }

  /** Returns the drawing of a whole figure: title, scale, panels two a line, source. */
  static Drawing of(HeatMap map) {
    HeatMapLayout layout = new HeatMapLayout(map);
    layout.text(24, 30, map.title(), Ink.TEXT, TITLE, Align.START, Weight.BOLD);
    layout.text(24, 51, map.subtitle(), Ink.MUTED, TEXT, Align.START, Weight.REGULAR);
    layout.scale(24, 66);
    double after = 24 + STEPS * STEP_WIDTH + SCALE_ENDS;
    layout.text(after, 79, map.value(), Ink.TEXT, SMALL, Align.START, Weight.REGULAR);
    int across = Math.min(2, map.panels().size());
    double width = WIDTH / across;
    double top = HEAD;
    for (int i = 0; i < map.panels().size(); i += across) {
      double height = 0;
      for (int k = i; k < Math.min(i + across, map.panels().size()); k++) {
        layout.panel(map.panels().get(k), (k - i) * width, top, width);
        height = Math.max(height, height(map.panels().get(k)));
      }
      top += height;
    }
    layout.text(24, top + 20, map.source(), Ink.MUTED, SMALL, Align.START, Weight.REGULAR);
    return new Drawing(
        WIDTH, top + FOOT, map.title() + ". " + map.subtitle(), List.copyOf(layout.marks));
  }

  /** Returns the drawing of one panel alone, for a page that has the title as text. */
  static Drawing panel(HeatMap map, int number) {
    HeatMapLayout layout = new HeatMapLayout(map);
    Cells cells = map.panels().get(number);
    double width = map.panels().size() == 1 ? WIDTH : PANEL_WIDTH;
    layout.panel(cells, 0, 0, width);
    return new Drawing(
        width,
        height(cells),
        map.title() + ": " + cells.title() + ". " + map.subtitle(),
        layout.marks);
  }

  /** Returns the drawing of the scale of colours alone. */
  static Drawing scale(HeatMap map) {
    HeatMapLayout layout = new HeatMapLayout(map);
    layout.scale(2, 2);
    return new Drawing(STEPS * STEP_WIDTH + SCALE_ENDS, 22, map.value(), layout.marks);
  }

  private void scale(double x, double y) {
    boolean above = map.panels().stream().allMatch(HeatMapLayout::isNeverNegative);
    String low = above ? "0" : Numbers.significant(-largest, 3);
    double room = 62;
    text(x + room - 8, y + 13, low, Ink.MUTED, SMALL, Align.END, Weight.REGULAR);
    for (int i = 0; i < STEPS; i++) {
      double part = (double) i / (STEPS - 1);
      double value = largest * (above ? part : 2 * part - 1);
      double left = x + room + i * STEP_WIDTH;
      box(left, y + 1, STEP_WIDTH, 16, value, "");
    }
    double right = x + room + STEPS * STEP_WIDTH;
    outline(x + room, y + 1, right, y + 17);
    String high = Numbers.significant(largest, 3);
    text(right + 8, y + 13, high, Ink.MUTED, SMALL, Align.START, Weight.REGULAR);
  }

  private static boolean isNeverNegative(Cells cells) {
    return cells.values().stream().flatMap(List::stream).noneMatch(value -> value < 0);
  }

  private static double plotHeight(Cells cells) {
    return Math.min(MOST_HEIGHT, Math.max(60, ROW_HEIGHT * cells.rows().size()));
  }

  /** Returns the room under the cells that the names of the columns take. */
  private static double columnRoom(Cells cells) {
    int longest = cells.columns().stream().mapToInt(String::length).max().orElse(0);
    return longest <= 3 ? 18 : 10 + LETTER * Math.min(longest, MOST_LETTERS);
  }

  /** Returns the room left of the cells that the names of the rows take. */
  private static double rowRoom(Cells cells) {
    int longest = cells.rows().stream().mapToInt(String::length).max().orElse(0);
    return Math.max(LEFT, 40 + LETTER * Math.min(longest, MOST_LETTERS));
  }

  private static double height(Cells cells) {
    return PANEL_TOP + plotHeight(cells) + columnRoom(cells) + COLUMN_AXIS;
  }

  private void panel(Cells cells, double left, double top, double width) {
    double x = left + rowRoom(cells);
    double y = top + PANEL_TOP;
    double plotWidth = width - rowRoom(cells) - RIGHT;
    double plotHeight = plotHeight(cells);
    double cellWidth = plotWidth / Math.max(1, cells.columns().size());
    double cellHeight = plotHeight / Math.max(1, cells.rows().size());
    text(x, y - 9, cells.title(), Ink.TEXT, TEXT, Align.START, Weight.BOLD);
    List<Mark> before = List.copyOf(marks);
    marks.clear();
    for (int r = 0; r < cells.rows().size(); r++) {
      double cellTop = y + plotHeight - (r + 1) * cellHeight;
      for (int c = 0; c < cells.columns().size(); c++) {
        double value = cells.values().get(r).get(c);
        if (Double.isFinite(value)) {
          String tip =
              cells.rowAxis()
                  + " "
                  + cells.rows().get(r)
                  + ", "
                  + cells.columnAxis()
                  + " "
                  + cells.columns().get(c)
                  + ": "
                  + Numbers.significant(value, 3);
          box(x + c * cellWidth, cellTop, cellWidth, cellHeight, value, tip);
        }
      }
    }
    List<Mark> inside = List.copyOf(marks);
    marks.clear();
    marks.addAll(before);
    marks.add(new Group("cells " + cells.title(), inside));
    numbers(cells, x, y + plotHeight, cellWidth, cellHeight);
    outline(x, y, x + plotWidth, y + plotHeight);
    names(cells, x, y, cellWidth, cellHeight);
    double middle = y + plotHeight / 2;
    marks.add(
        new Label(
            new Point(left + 18, middle),
            cells.rowAxis(),
            Ink.TEXT,
            SMALL,
            Align.MIDDLE,
            Weight.REGULAR,
            Turn.UPWARDS));
    double below = y + plotHeight + columnRoom(cells) + 12;
    text(
        x + plotWidth / 2,
        below,
        cells.columnAxis(),
        Ink.TEXT,
        SMALL,
        Align.MIDDLE,
        Weight.REGULAR);
  }

  /** Writes the numbers into the cells where all of them fit. */
  private void numbers(Cells cells, double x, double bottom, double width, double height) {
    int decimals = Math.max(0, 2 - (int) Math.floor(Math.log10(largest) + 1e-9));
    double step = Math.pow(10, -decimals);
    double room =
        WIDER * StrokeFont.get().width("−" + Numbers.rounded(largest, step), TINY, Weight.REGULAR);
    if (room > width || height < TINY + 3) {
      return;
    }
    List<Mark> words = new ArrayList<>();
    for (int r = 0; r < cells.rows().size(); r++) {
      for (int c = 0; c < cells.columns().size(); c++) {
        double value = cells.values().get(r).get(c);
        if (Double.isFinite(value)) {
          boolean none = Math.abs(value) < step / 2;
          double part = Math.abs(value) / largest;
          Ink ink =
              part < FAINT
                  ? Ink.ON_FAINT
                  : part < STRONG || value < 0 ? Ink.ON_MIDDLE : Ink.ON_STRONG;
          words.add(
              new Label(
                  new Point(x + (c + 0.5) * width, bottom - (r + 0.5) * height + 4),
                  none ? "0" : Numbers.rounded(value, step),
                  none ? Ink.MUTED : ink,
                  TINY,
                  Align.MIDDLE,
                  Weight.REGULAR,
                  Turn.ACROSS));
        }
      }
    }
    marks.add(new Group("numbers " + cells.title(), words));
  }

  private void names(Cells cells, double x, double y, double cellWidth, double cellHeight) {
    double bottom = y + cellHeight * cells.rows().size();
    int everyRow = (int) Math.ceil(13 / cellHeight);
    for (int r = 0; r < cells.rows().size(); r += everyRow) {
      double at = bottom - (r + 0.5) * cellHeight + 4;
      text(x - 6, at, shortened(cells.rows().get(r)), Ink.MUTED, TINY, Align.END, Weight.REGULAR);
    }
    boolean across = columnRoom(cells) <= 18;
    int everyColumn = (int) Math.ceil((across ? 24 : 13) / cellWidth);
    for (int c = 0; c < cells.columns().size(); c += everyColumn) {
      double at = x + (c + 0.5) * cellWidth;
      String name = shortened(cells.columns().get(c));
      marks.add(
          across
              ? new Label(
                  new Point(at, bottom + 14),
                  name,
                  Ink.MUTED,
                  TINY,
                  Align.MIDDLE,
                  Weight.REGULAR,
                  Turn.ACROSS)
              : new Label(
                  new Point(at + 4, bottom + 6),
                  name,
                  Ink.MUTED,
                  TINY,
                  Align.END,
                  Weight.REGULAR,
                  Turn.UPWARDS));
    }
  }

  private static String shortened(String name) {
    return name.length() <= MOST_LETTERS ? name : name.substring(0, MOST_LETTERS - 1) + "…";
  }

  /** Paints a cell: blue above 0, vermilion below, fainter towards 0. */
  private void box(double x, double y, double width, double height, double value, String tip) {
    double part = Math.min(1, Math.abs(value) / largest);
    Ink ink = value >= 0 ? Ink.BLUE : Ink.VERMILION;
    marks.add(new Box(new Point(x, y), new Point(x + width, y + height), ink, part, tip));
  }

  private void outline(double x1, double y1, double x2, double y2) {
    List<Point> corners =
        List.of(
            new Point(x1, y1),
            new Point(x2, y1),
            new Point(x2, y2),
            new Point(x1, y2),
            new Point(x1, y1));
    marks.add(new Line(corners, Ink.MUTED, 1, Dash.SOLID));
  }

  private void text(
      double x, double y, String text, Ink ink, double size, Align align, Weight weight) {
    marks.add(new Label(new Point(x, y), text, ink, size, align, weight, Turn.ACROSS));
  }
}
