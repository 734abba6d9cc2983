package dev.resid.experiments.report;

import java.util.List;

/**
 * A picture made of marks, in the order they are painted; x grows to the right, y downwards.
 *
 * @param width in units of a CSS pixel
 * @param height in units of a CSS pixel
 * @param description what a person who cannot see it is told
 * @param marks what is in it
 */
record Drawing(double width, double height, String description, List<Mark> marks) {
  Drawing {
    marks = List.copyOf(marks);
  }

  /** A place. */
  record Point(double x, double y) {}

  /** Where a text lies relative to its place. */
  enum Align {
    START,
    MIDDLE,
    END
  }

  /** How a line is interrupted, told apart in print without colours. */
  enum Dash {
    SOLID(),
    DASHED(7, 4),
    DOTTED(1.5, 4);

    private final float[] lengths;

    Dash(double... lengths) {
      this.lengths = new float[lengths.length];
      for (int i = 0; i < lengths.length; i++) {
        this.lengths[i] = (float) lengths[i];
      }
    }

    /** Returns lengths drawn and left out in turn; none for a line without gaps. */
    float[] lengths() {
      return lengths.clone();
    }
  }

  /** The form of a data point, told apart in print without colours. */
  enum Form {
    CIRCLE,
    SQUARE,
    DIAMOND,
    TRIANGLE
  }

  /** Whether a data point is filled, only outlined, or not seen. */
  enum Fill {
    FILLED,
    HOLLOW,
    /** Nothing is painted: a place that can be pointed at. */
    UNSEEN
  }

  /** Whether a text is bold. */
  enum Weight {
    REGULAR,
    BOLD
  }

  /** Which way a text runs. */
  enum Turn {
    ACROSS,
    UPWARDS
  }

  /** One thing that is painted. */
  sealed interface Mark {}

  /** Lines from point to point. */
  record Line(List<Point> points, Colour ink, double width, Dash dash) implements Mark {}

  /** A filled polygon. */
  record Area(List<Point> outline, Ink ink, double opacity) implements Mark {}

  /**
   * A data point; {@code tip} is what is shown when it is pointed at, x, y, low, high and name
   * separated by {@code |}, of which the last ones may be missing; or empty.
   */
  record Symbol(Point at, Form form, Fill fill, Ink ink, double size, String tip) implements Mark {
    /** Returns a point that is not painted. */
    static Symbol unseen(Point at, String tip) {
      return new Symbol(at, Form.CIRCLE, Fill.UNSEEN, Ink.PAPER, 2, tip);
    }
  }

  /** A text on a base line. */
  record Label(Point at, String text, Ink ink, double size, Align align, Weight weight, Turn turn)
      implements Mark {}

  /** A filled rectangle; {@code tip} is what is shown when it is pointed at, or empty. */
  record Box(Point from, Point to, Colour ink, double opacity, String tip) implements Mark {}

  /** Marks that belong together, such as all of a series. */
  record Group(String name, List<Mark> marks) implements Mark {}
}
