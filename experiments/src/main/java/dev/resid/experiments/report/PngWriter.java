package dev.resid.experiments.report;

import dev.resid.experiments.report.Drawing.Align;
import dev.resid.experiments.report.Drawing.Area;
import dev.resid.experiments.report.Drawing.Box;
import dev.resid.experiments.report.Drawing.Dash;
import dev.resid.experiments.report.Drawing.Fill;
import dev.resid.experiments.report.Drawing.Group;
import dev.resid.experiments.report.Drawing.Label;
import dev.resid.experiments.report.Drawing.Line;
import dev.resid.experiments.report.Drawing.Mark;
import dev.resid.experiments.report.Drawing.Point;
import dev.resid.experiments.report.Drawing.Symbol;
import dev.resid.experiments.report.Drawing.Turn;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferInt;
import java.util.List;

/** Paints a {@link Drawing} as PNG, without a display and without fonts. */
final class PngWriter {
  private final Graphics2D graphics;

  private PngWriter(Graphics2D graphics) {
    this.graphics = graphics;
  }

  /**
   * Returns the bytes of the file.
   *
   * @param drawing what to paint
   * @param scale pixels a unit
   */
  static byte[] write(Drawing drawing, double scale) {
    int width = (int) Math.ceil(drawing.width() * scale);
    int height = (int) Math.ceil(drawing.height() * scale);
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      graphics.setColor(color(Ink.PAPER, 1));
      graphics.fillRect(0, 0, width, height);
      graphics.scale(scale, scale);
      PngWriter writer = new PngWriter(graphics);
      drawing.marks().forEach(writer::mark);
    } finally {
      graphics.dispose();
    }
    int[] pixels = ((DataBufferInt) image.getRaster().getDataBuffer()).getData();
    return PngFile.of(width, pixels);
  }

  private void mark(Mark mark) {
    switch (mark) {
      case Line line -> line(line);
      case Area area -> {
        graphics.setColor(color(area.ink(), area.opacity()));
        graphics.fill(path(area.outline(), true));
      }
      case Symbol symbol -> symbol(symbol);
      case Box box -> box(box);
      case Label label -> label(label);
      case Group group -> group.marks().forEach(this::mark);
    }
  }

  private void line(Line line) {
    graphics.setColor(color(line.ink(), 1));
    float width = (float) line.width();
    graphics.setStroke(
        line.dash() == Dash.SOLID
            ? new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND)
            : new BasicStroke(
                width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, line.dash().lengths(), 0));
    graphics.draw(path(line.points(), false));
  }

  private void box(Box box) {
    graphics.setColor(color(box.ink(), box.opacity()));
    Point from = box.from();
    graphics.fill(
        new Rectangle2D.Double(
            from.x(), from.y(), box.to().x() - from.x(), box.to().y() - from.y()));
  }

  private void symbol(Symbol symbol) {
    if (symbol.fill() == Fill.UNSEEN) {
      return;
    }
    Path2D outline = path(Symbols.outline(symbol), true);
    graphics.setColor(color(symbol.fill() == Fill.FILLED ? symbol.ink() : Ink.PAPER, 1));
    graphics.fill(outline);
    graphics.setColor(color(symbol.ink(), 1));
    graphics.setStroke(new BasicStroke(1.3f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER));
    graphics.draw(outline);
  }

  private void label(Label label) {
    StrokeFont font = StrokeFont.get();
    double width = font.width(label.text(), label.size(), label.weight());
    AffineTransform before = graphics.getTransform();
    graphics.translate(label.at().x(), label.at().y());
    if (label.turn() == Turn.UPWARDS) {
      graphics.rotate(-Math.PI / 2);
    }
    double shift =
        label.align() == Align.START ? 0 : label.align() == Align.END ? -width : -width / 2;
    graphics.translate(shift, 0);
    graphics.setColor(color(label.ink(), 1));
    float pen = (float) font.stroke(label.size(), label.weight());
    graphics.setStroke(new BasicStroke(pen, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    graphics.draw(font.path(label.text(), label.size(), label.weight()));
    graphics.setTransform(before);
  }

  private static Path2D path(List<Point> points, boolean close) {
    Path2D path = new Path2D.Double();
    for (int i = 0; i < points.size(); i++) {
      if (i == 0) {
        path.moveTo(points.get(i).x(), points.get(i).y());
      } else {
        path.lineTo(points.get(i).x(), points.get(i).y());
      }
    }
    if (close) {
      path.closePath();
    }
    return path;
  }

  private static Color color(Colour ink, double opacity) {
    int rgb = Integer.parseInt(ink.hex().substring(1), 16);
    return new Color(rgb >> 16, rgb >> 8 & 255, rgb & 255, (int) Math.round(255 * opacity));
  }
}
