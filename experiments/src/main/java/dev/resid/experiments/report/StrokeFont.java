package dev.resid.experiments.report;

import java.awt.geom.AffineTransform;
import java.awt.geom.Arc2D;
import java.awt.geom.Path2D;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.StringTokenizer;

/**
 * A small sans-serif face made of strokes, so that a PNG needs no font installed and has the same
 * pixels everywhere. The glyphs are in the resource {@code glyphs.txt}, which explains its format.
 */
final class StrokeFont {
  /** Units of the glyph file in a font size of 1: capitals are 70 units high. */
  private static final double UNITS = 97;

  private static final double REGULAR_STROKE = 8.2;
  private static final double BOLD_STROKE = 12.2;

  /** Extra advance of bold text, which needs more room between thicker strokes. */
  private static final double BOLD_SPACING = 2.5;

  private static final char UNKNOWN = '\uFFFD';
  private static final StrokeFont INSTANCE = read();

  private record Glyph(double advance, Path2D path) {}

  private final Map<Character, Glyph> glyphs = new HashMap<>();

  private StrokeFont() {}

  /** Returns the face, which is immutable. */
  static StrokeFont get() {
    return INSTANCE;
  }

  /** Returns whether there is a glyph for a character. */
  boolean has(char character) {
    return glyphs.containsKey(character);
  }

  /** Returns the width of a text. */
  double width(String text, double size, Drawing.Weight weight) {
    double units = 0;
    for (char character : text.toCharArray()) {
      units += glyph(character).advance() + spacing(weight);
    }
    return units * size / UNITS;
  }

  /** Returns the width of the pen. */
  double stroke(double size, Drawing.Weight weight) {
    return (weight == Drawing.Weight.BOLD ? BOLD_STROKE : REGULAR_STROKE) * size / UNITS;
  }

  /** Returns the pen's way through a text that starts at 0, 0, with y downwards. */
  Path2D path(String text, double size, Drawing.Weight weight) {
    Path2D path = new Path2D.Double();
    double x = 0;
    double scale = size / UNITS;
    for (char character : text.toCharArray()) {
      Glyph glyph = glyph(character);
      AffineTransform place = AffineTransform.getTranslateInstance(x, 0);
      place.scale(scale, -scale);
      path.append(glyph.path().getPathIterator(place), false);
      x += (glyph.advance() + spacing(weight)) * scale;
    }
    return path;
  }

  private static double spacing(Drawing.Weight weight) {
    return weight == Drawing.Weight.BOLD ? BOLD_SPACING : 0;
  }

  private Glyph glyph(char character) {
    Glyph glyph = glyphs.get(character);
    return glyph == null ? glyphs.get(UNKNOWN) : glyph;
  }

  private static StrokeFont read() {
    StrokeFont font = new StrokeFont();
    InputStream in = StrokeFont.class.getResourceAsStream("glyphs.txt");
    if (in == null) {
      throw new IllegalStateException("the resource glyphs.txt is missing; rebuild Resid");
    }
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (!line.isBlank() && !line.startsWith("##")) {
          font.define(line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return font;
  }

  /** One line: the character, its advance, and commands. */
  private void define(String line) {
    char character = line.charAt(0);
    StringTokenizer words = new StringTokenizer(line.substring(1));
    double advance = next(words);
    Path2D path = new Path2D.Double();
    while (words.hasMoreTokens()) {
      String command = words.nextToken();
      switch (command) {
        case "M" -> path.moveTo(next(words), next(words));
        case "L" -> path.lineTo(next(words), next(words));
        case "C" ->
            path.curveTo(
                next(words), next(words), next(words), next(words), next(words), next(words));
        case "D" -> dot(path, next(words), next(words));
        case "O" -> arc(path, words, false, 0, 360);
        case "A" -> arc(path, words, false, Double.NaN, Double.NaN);
        case "T" -> arc(path, words, true, Double.NaN, Double.NaN);
        case "=" -> {
          Glyph other = glyphs.get(words.nextToken().charAt(0));
          AffineTransform place = new AffineTransform();
          place.translate(next(words), next(words));
          double scale = next(words);
          place.scale(scale, scale);
          path.append(other.path().getPathIterator(place), false);
        }
        default ->
            throw new IllegalStateException("glyphs.txt: command " + command + " in " + line);
      }
    }
    glyphs.put(character, new Glyph(advance, path));
  }

  /** A point that the round pen makes visible: a circle as wide as half a stroke. */
  private static void dot(Path2D path, double x, double y) {
    path.append(new Arc2D.Double(x - 1.4, y - 1.4, 2.8, 2.8, 0, 360, Arc2D.OPEN), false);
  }

  private static void arc(
      Path2D path, StringTokenizer words, boolean connect, double start, double sweep) {
    double x = next(words);
    double y = next(words);
    double rx = next(words);
    double ry = next(words);
    double from = Double.isNaN(start) ? next(words) : start;
    double extent = Double.isNaN(sweep) ? next(words) : sweep;
    // Arc2D's angles assume y downwards; the glyphs have y upwards.
    path.append(
        new Arc2D.Double(x - rx, y - ry, 2 * rx, 2 * ry, -from, -extent, Arc2D.OPEN), connect);
  }

  private static double next(StringTokenizer words) {
    return Double.parseDouble(words.nextToken());
  }
}
