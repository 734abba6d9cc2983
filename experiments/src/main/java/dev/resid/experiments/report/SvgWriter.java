package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Area;
import dev.resid.experiments.report.Drawing.Box;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Fill;
import dev.resid.experiments.report.Drawing.Form;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import dev.resid.experiments.report.Drawing.Turn;
import dev.resid.experiments.report.Drawing.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Writes a {@link Drawing} as SVG. In a file of its own colours are attributes; in a page they are
 * class names, which the page's style sheet gives colours for light and dark.
 */
final class SvgWriter {
  private static final String FONTS =
      "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

  private final StringBuilder svg = new StringBuilder();

  private final Place place;

  private SvgWriter(Place place) {
    this.place = place;
  }

  /** Where an SVG goes. */
  enum Place {
    /** A file of its own. */
    FILE,
    /** The text of an HTML page, whose parser knows the name space. */
    PAGE
  }

  /** Returns the SVG element. */
  static String write(Drawing drawing, Place place) {
    SvgWriter writer = new SvgWriter(place);
    writer.document(drawing);
    return writer.svg.toString();
  }

  private void document(Drawing drawing) {
    String size = number(drawing.width()) + " " + number(drawing.height());
    svg.append("<svg");
    if (place == Place.FILE) {
      svg.append(" xmlns=\"http://www.w3.org/2000/svg\"");
    } else {
      svg.append(" style=\"--width:").append(number(drawing.width())).append('"');
    }
    svg.append(" viewBox=\"0 0 ").append(size);
    svg.append("\" width=\"").append(number(drawing.width()));
    svg.append("\" height=\"").append(number(drawing.height()));
    svg.append("\" role=\"img\" font-family=\"").append(FONTS).append("\">\n");
    svg.append("<title>").append(escape(drawing.description())).append("</title>\n");
    if (place == Place.FILE) {
      svg.append("<rect width=\"100%\" height=\"100%\" fill=\"");
      svg.append(Ink.PAPER.hex()).append("\"/>\n");
    }
    drawing.marks().forEach(this::mark);
    svg.append("</svg>\n");
  }

  private void mark(Mark mark) {
    switch (mark) {
      case Line line -> line(line);
      case Area area -> area(area);
      case Symbol symbol -> symbol(symbol);
      case Box box -> box(box);
      case Label label -> label(label);
      case Group group -> {
        svg.append("<g data-name=\"").append(escape(group.name())).append("\">\n");
        group.marks().forEach(this::mark);
        svg.append("</g>\n");
      }
    }
  }

  private void line(Line line) {
    svg.append("<path d=\"").append(path(line.points())).append('"');
    paint(Optional.empty(), Optional.of(line.ink()));
    svg.append(" stroke-width=\"").append(number(line.width())).append('"');
    if (line.dash() != Dash.SOLID) {
      svg.append(" stroke-dasharray=\"");
      for (float length : line.dash().lengths()) {
        svg.append(number(length)).append(' ');
      }
      svg.setCharAt(svg.length() - 1, '"');
    }
    svg.append(" stroke-linejoin=\"round\"/>\n");
  }

  private void area(Area area) {
    svg.append("<path d=\"").append(path(area.outline())).append("Z\"");
    paint(Optional.of(area.ink()), Optional.empty());
    svg.append(" fill-opacity=\"").append(number(area.opacity())).append("\"/>\n");
  }

  private void box(Box box) {
    svg.append("<rect x=\"").append(number(box.from().x()));
    svg.append("\" y=\"").append(number(box.from().y()));
    svg.append("\" width=\"").append(number(box.to().x() - box.from().x()));
    svg.append("\" height=\"").append(number(box.to().y() - box.from().y())).append('"');
    paint(Optional.of(box.ink()), Optional.empty());
    svg.append(" fill-opacity=\"").append(String.format(Locale.ROOT, "%.3f", box.opacity()));
    svg.append('"');
    if (box.tip().isEmpty()) {
      svg.append("/>\n");
    } else if (place == Place.PAGE) {
      svg.append(" data-cell=\"").append(escape(box.tip())).append("\"/>\n");
    } else {
      svg.append("><title>").append(escape(box.tip())).append("</title></rect>\n");
    }
  }

  private void symbol(Symbol symbol) {
    String x = number(symbol.at().x());
    String y = number(symbol.at().y());
    boolean circle = symbol.form() == Form.CIRCLE;
    if (circle) {
      svg.append("<circle cx=\"").append(x).append("\" cy=\"").append(y);
      svg.append("\" r=\"").append(number(symbol.size())).append('"');
    } else {
      svg.append("<path d=\"").append(path(Symbols.outline(symbol))).append("Z\"");
    }
    switch (symbol.fill()) {
      case FILLED -> paint(Optional.of(symbol.ink()), Optional.of(symbol.ink()));
      case HOLLOW -> paint(Optional.of(Ink.PAPER), Optional.of(symbol.ink()));
      case UNSEEN -> paint(Optional.empty(), Optional.empty());
    }
    svg.append(symbol.fill() == Fill.UNSEEN ? " pointer-events=\"all\"" : " stroke-width=\"1.3\"");
    if (symbol.tip().isEmpty()) {
      svg.append("/>\n");
    } else if (place == Place.PAGE) {
      svg.append(" data-x=\"").append(x).append("\" data-y=\"").append(y);
      svg.append("\" data-tip=\"").append(escape(symbol.tip())).append("\"/>\n");
    } else {
      String[] parts = symbol.tip().split("\\|");
      svg.append("><title>").append(parts.length > 4 ? escape(parts[4] + ", ") : "");
      svg.append(escape(parts[0] + ": " + parts[1]));
      if (parts.length > 2 && !parts[2].isEmpty()) {
        svg.append(escape(" (" + parts[2] + " to " + parts[3] + ")"));
      }
      svg.append("</title>").append(circle ? "</circle>\n" : "</path>\n");
    }
  }

  private void label(Label label) {
    String x = number(label.at().x());
    String y = number(label.at().y());
    svg.append("<text");
    paint(Optional.of(label.ink()), Optional.empty());
    svg.append(" x=\"").append(x).append("\" y=\"").append(y);
    svg.append("\" font-size=\"").append(number(label.size())).append('"');
    if (label.weight() == Weight.BOLD) {
      svg.append(" font-weight=\"600\"");
    }
    if (label.align() != Align.START) {
      svg.append(" text-anchor=\"")
          .append(label.align() == Align.END ? "end" : "middle")
          .append('"');
    }
    if (label.turn() == Turn.UPWARDS) {
      svg.append(" transform=\"rotate(-90 ").append(x).append(' ').append(y).append(")\"");
    }
    svg.append('>').append(escape(label.text())).append("</text>\n");
  }

  /** Writes the colours inside and of the outline; none means nothing is painted there. */
  private void paint(Optional<? extends Colour> inside, Optional<? extends Colour> outline) {
    if (place == Place.FILE) {
      svg.append(" fill=\"").append(inside.map(Colour::hex).orElse("none")).append('"');
      outline.ifPresent(ink -> svg.append(" stroke=\"").append(ink.hex()).append('"'));
      return;
    }
    List<String> classes = new ArrayList<>();
    List<String> styles = new ArrayList<>();
    paint(classes, styles, inside, "fill");
    paint(classes, styles, outline, "stroke");
    if (inside.isEmpty()) {
      classes.add("f-none");
    }
    if (!classes.isEmpty()) {
      svg.append(" class=\"").append(String.join(" ", classes)).append('"');
    }
    if (!styles.isEmpty()) {
      svg.append(" style=\"").append(String.join(";", styles)).append('"');
    }
  }

  private static void paint(
      List<String> classes, List<String> styles, Optional<? extends Colour> colour, String what) {
    colour.ifPresent(
        one -> {
          switch (one) {
            case Ink ink -> classes.add(what.charAt(0) + "-" + ink.cssName());
            case Colour.Between mixed -> styles.add(what + ":" + mixed.css());
          }
        });
  }

  private static String path(List<Point> points) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < points.size(); i++) {
      path.append(i == 0 ? 'M' : 'L').append(number(points.get(i).x()));
      path.append(' ').append(number(points.get(i).y()));
    }
    return path.toString();
  }

  /** Returns a number with at most one digit after the point. */
  private static String number(double value) {
    String text = String.format(Locale.ROOT, "%.1f", value);
    return text.replaceAll("\\.?0+$", "").replaceAll("^-0$", "0");
  }

  /** Returns text with the characters that have a meaning in XML replaced. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
