package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Fill;
import dev.resid.experiments.report.Drawing.Form;
import java.util.List;
import java.util.Optional;

/**
 * What a figure shows: one or more panels side by side with curves over a common range.
 *
 * @param title what is seen, in a few words
 * @param subtitle what is drawn against what
 * @param source where the numbers come from: model, data and run
 * @param x the horizontal axis of every panel
 * @param y the vertical axis, with a common range, of every panel that has none of its own
 * @param panels at least one
 */
public record Chart(
    String title, String subtitle, String source, AxisSpec x, AxisSpec y, List<Panel> panels)
    implements Picture {
  /** Checks that there is a panel. */
  public Chart {
    panels = List.copyOf(panels);
    if (panels.isEmpty()) {
      throw new IllegalArgumentException("the figure \"" + title + "\" has no panel");
    }
  }

  /**
   * An axis.
   *
   * @param label what is measured, with its unit
   * @param symbol the same as short as it can be, for tips
   * @param kind linear or logarithmic
   * @param marked which numbers may be marked
   * @param names what is at 1, 2, 3, … in place of numbers; mostly none
   */
  public record AxisSpec(
      String label, String symbol, AxisKind kind, Marked marked, List<String> names) {
    /** Copies the list. */
    public AxisSpec {
      names = List.copyOf(names);
    }

    /** An axis of numbers that may have any value. */
    public AxisSpec(String label, String symbol, AxisKind kind) {
      this(label, symbol, kind, Marked.ANY, List.of());
    }

    /** Returns this axis for a quantity that counts: nothing between whole numbers is marked. */
    public AxisSpec whole() {
      return new AxisSpec(label, symbol, kind, Marked.WHOLE, names);
    }

    /** Returns an axis of things one beside the other, the first one at 1. */
    public static AxisSpec of(String label, String symbol, List<String> names) {
      return new AxisSpec(label, symbol, AxisKind.LINEAR, Marked.WHOLE, names);
    }
  }

  /** Which numbers of an axis may be marked. */
  public enum Marked {
    /** Round ones. */
    ANY,
    /** Whole ones: the quantity counts layers, positions, steps or prompts. */
    WHOLE
  }

  /** How distances on an axis relate to numbers. */
  public enum AxisKind {
    /** Equal distances for equal differences; begins at 0. */
    LINEAR,
    /** Equal distances for equal differences; holds 0 and every number, negative ones too. */
    SIGNED,
    /** Equal distances for equal ratios; numbers that are not positive are left out. */
    LOG
  }

  /**
   * One system of axes.
   *
   * @param title what distinguishes it from its neighbours
   * @param series curves, painted in this order
   * @param guide a vertical line, if there is one
   * @param ownY a vertical axis of its own in place of the common one
   */
  public record Panel(
      String title, List<Series> series, Optional<Guide> guide, Optional<AxisSpec> ownY) {
    /** Copies the list. */
    public Panel {
      series = List.copyOf(series);
    }

    /** A panel on the common vertical axis. */
    public Panel(String title, List<Series> series, Optional<Guide> guide) {
      this(title, series, guide, Optional.empty());
    }
  }

  /**
   * A vertical line that helps to read the horizontal axis.
   *
   * @param x where
   * @param label what is there
   */
  public record Guide(double x, String label) {}

  /**
   * A curve with an interval band.
   *
   * @param name in the legend, where equal names stand once
   * @param label at its end, may be empty
   * @param style how it is painted
   * @param trace what connects its points
   * @param points its points in ascending order of x
   */
  public record Series(String name, String label, Style style, Trace trace, List<Value> points) {
    /** Copies the list. */
    public Series {
      points = List.copyOf(points);
    }

    /** A curve with a symbol at every point. */
    public Series(String name, String label, Style style, List<Value> points) {
      this(name, label, style, Trace.POINTS, points);
    }
  }

  /** What connects the points of a series. */
  public enum Trace {
    /** Straight lines, with a symbol at every point. */
    POINTS,
    /** Straight lines and no symbol: what is no measurement, such as where two would be equal. */
    LINE,
    /** Straight lines, with a symbol now and then: for many points. */
    CURVE,
    /** Nothing: symbols alone. */
    MARKS,
    /** Each value holds until the next point: distribution functions. */
    STEPS,
    /** The same, filled down to 0: histograms. The last point only ends the one before it. */
    BARS
  }

  /**
   * A point of a curve.
   *
   * @param x horizontal
   * @param y vertical
   * @param low lower end of the interval of y
   * @param high upper end of the interval of y
   * @param name what it is, where points are looked at one by one; mostly empty
   */
  public record Value(double x, double y, double low, double high, String name) {
    /** A point without a name. */
    public Value(double x, double y, double low, double high) {
      this(x, y, low, high, "");
    }

    /** Returns a point without an interval. */
    public static Value at(double x, double y) {
      return new Value(x, y, y, y);
    }

    /** Returns a point with a name and without an interval. */
    public static Value named(String name, double x, double y) {
      return new Value(x, y, y, y, name);
    }
  }

  /** How a curve is painted; no two differ in colour alone. */
  public enum Style {
    /** Blue, solid, filled circles. */
    BLUE_SOLID(Ink.BLUE, Dash.SOLID, Form.CIRCLE, Fill.FILLED),
    /** Blue, dashed, hollow circles. */
    BLUE_DASHED(Ink.BLUE, Dash.DASHED, Form.CIRCLE, Fill.HOLLOW),
    /** Vermilion, solid, filled squares. */
    VERMILION_SOLID(Ink.VERMILION, Dash.SOLID, Form.SQUARE, Fill.FILLED),
    /** Vermilion, dashed, hollow squares. */
    VERMILION_DASHED(Ink.VERMILION, Dash.DASHED, Form.SQUARE, Fill.HOLLOW),
    /** Black, dotted, filled triangles. */
    BLACK_DOTTED(Ink.BLACK, Dash.DOTTED, Form.TRIANGLE, Fill.FILLED),
    /** Green, solid, filled diamonds. */
    GREEN_SOLID(Ink.GREEN, Dash.SOLID, Form.DIAMOND, Fill.FILLED),
    /** Purple, dashed, hollow diamonds. */
    PURPLE_DASHED(Ink.PURPLE, Dash.DASHED, Form.DIAMOND, Fill.HOLLOW),
    /** Step 1 of 8 of an ordered quantity, lowest. */
    RAMP_1(Ink.RAMP_1, Dash.SOLID, Form.CIRCLE, Fill.FILLED),
    /** Step 2 of 8 of an ordered quantity, between. */
    RAMP_2(Ink.RAMP_2, Dash.SOLID, Form.SQUARE, Fill.FILLED),
    /** Step 3 of 8 of an ordered quantity, between. */
    RAMP_3(Ink.RAMP_3, Dash.SOLID, Form.DIAMOND, Fill.FILLED),
    /** Step 4 of 8 of an ordered quantity, between. */
    RAMP_4(Ink.RAMP_4, Dash.SOLID, Form.TRIANGLE, Fill.FILLED),
    /** Step 5 of 8 of an ordered quantity, between. */
    RAMP_5(Ink.RAMP_5, Dash.DASHED, Form.CIRCLE, Fill.HOLLOW),
    /** Step 6 of 8 of an ordered quantity, between. */
    RAMP_6(Ink.RAMP_6, Dash.DASHED, Form.SQUARE, Fill.HOLLOW),
    /** Step 7 of 8 of an ordered quantity, between. */
    RAMP_7(Ink.RAMP_7, Dash.DASHED, Form.DIAMOND, Fill.HOLLOW),
    /** Step 8 of 8 of an ordered quantity, highest. */
    RAMP_8(Ink.RAMP_8, Dash.DASHED, Form.TRIANGLE, Fill.HOLLOW);

    private final Ink ink;
    private final Dash dash;
    private final Form form;
    private final Fill fill;

    Style(Ink ink, Dash dash, Form form, Fill fill) {
      this.ink = ink;
      this.dash = dash;
      this.form = form;
      this.fill = fill;
    }

    /**
     * Returns the style of a step of an ordered quantity.
     *
     * @param rank from 0, the lowest
     * @param count how many steps there are; of more than 8, neighbours share a style
     */
    public static Style ramp(int rank, int count) {
      int step = count <= 1 ? 0 : (int) Math.round(7.0 * rank / (count - 1));
      return values()[RAMP_1.ordinal() + step];
    }

    Ink ink() {
      return ink;
    }

    Dash dash() {
      return dash;
    }

    Form form() {
      return form;
    }

    Fill fill() {
      return fill;
    }
  }

  @Override
  public String toSvg() {
    return SvgWriter.write(ChartLayout.of(this), SvgWriter.Place.FILE);
  }

  @Override
  public byte[] toPng() {
    return PngWriter.write(ChartLayout.of(this), 2);
  }
}
