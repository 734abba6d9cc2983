package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Area;
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
import java.util.List;
import java.util.Locale;

/**
 * Writes a {@link Drawing} as SVG. Colours are attributes, so that the file stands alone, and class
 * names, so that the style sheet of a page can replace them.
 */
final class SvgWriter {
  private static final String FONTS =
      "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif";

  private final StringBuilder svg = new StringBuilder();

  private SvgWriter() {}

  /** Where an SVG goes. */
  enum Place {
    /** A file of its own. */
    FILE,
    /** The text of an HTML page, whose parser knows the name space. */
    PAGE
  }

  /** Returns the SVG element. */
  static String write(Drawing drawing, Place place) {
    SvgWriter writer = new SvgWriter();
    writer.document(drawing, place);
    return writer.svg.toString();
  }

  private void document(Drawing drawing, Place place) {
    String size = number(drawing.width()) + " " + number(drawing.height());
    svg.append("<svg");
    if (place == Place.FILE) {
      svg.append(" xmlns=\"http://www.w3.org/2000/svg\"");
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
      case Label label -> label(label);
      case Group group -> {
        svg.append("<g data-name=\"").append(escape(group.name())).append("\">\n");
        group.marks().forEach(this::mark);
        svg.append("</g>\n");
      }
    }
  }

  private void line(Line line) {
    svg.append("<path fill=\"none\" d=\"").append(path(line.points())).append('"');
    stroke(line.ink(), line.width());
    if (line.dash() != Dash.SOLID) {
      svg.append(" stroke-dasharray=\"");
      for (float length : line.dash().lengths()) {
        svg.append(number(length)).append(' ');
      }
      svg.setCharAt(svg.length() - 1, '"');
    }
    svg.append(" stroke-linejoin=\"round\" stroke-linecap=\"butt\"/>\n");
  }

  private void area(Area area) {
    svg.append("<path class=\"f-").append(area.ink().cssName());
    svg.append("\" fill=\"").append(area.ink().hex());
    svg.append("\" fill-opacity=\"").append(number(area.opacity()));
    svg.append("\" d=\"").append(path(area.outline())).append("Z\"/>\n");
  }

  private void symbol(Symbol symbol) {
    Ink inside = symbol.fill() == Fill.FILLED ? symbol.ink() : Ink.PAPER;
    String x = number(symbol.at().x());
    String y = number(symbol.at().y());
    if (symbol.form() == Form.CIRCLE) {
      svg.append("<circle cx=\"").append(x).append("\" cy=\"").append(y);
      svg.append("\" r=\"").append(number(symbol.size())).append('"');
    } else {
      svg.append("<path d=\"").append(path(Symbols.outline(symbol))).append("Z\"");
    }
    if (!symbol.tip().isEmpty()) {
      svg.append(" data-x=\"").append(x).append("\" data-y=\"").append(y);
      svg.append("\" data-tip=\"").append(escape(symbol.tip())).append('"');
    }
    svg.append(" class=\"f-").append(inside.cssName());
    svg.append(" s-").append(symbol.ink().cssName());
    svg.append("\" fill=\"").append(inside.hex());
    svg.append("\" stroke=\"").append(symbol.ink().hex());
    svg.append("\" stroke-width=\"1.3\"/>\n");
  }

  private void label(Label label) {
    String x = number(label.at().x());
    String y = number(label.at().y());
    svg.append("<text class=\"f-").append(label.ink().cssName());
    svg.append("\" fill=\"").append(label.ink().hex());
    svg.append("\" x=\"").append(x).append("\" y=\"").append(y);
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

  private void stroke(Ink ink, double width) {
    svg.append(" class=\"s-").append(ink.cssName());
    svg.append("\" stroke=\"").append(ink.hex());
    svg.append("\" stroke-width=\"").append(number(width)).append('"');
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
