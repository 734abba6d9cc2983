package dev.resid.io;

import java.util.List;
import java.util.stream.Collectors;

/** Makes text out of a hostile file fit for one line of an error message. */
public final class Printable {
  private static final int MAX_NAME = 80;
  private static final int MAX_LINE = 200;
  private static final int MAX_SENTENCE = 400;
  private static final int MAX_LIST = 12;

  private Printable() {}

  /**
   * Returns a name in quotes, unprintable characters and quotes escaped, cut after 80 characters.
   *
   * @param name as the file has it
   */
  public static String quoted(String name) {
    return '"' + escaped(name, MAX_NAME, "\"\\") + '"';
  }

  /**
   * Returns a text with unprintable characters escaped, cut after 200 characters.
   *
   * @param text may quote what the file has
   */
  public static String line(String text) {
    return escaped(text, MAX_LINE, "");
  }

  /**
   * Returns a sentence with unprintable characters escaped, cut after 400 characters, sooner where
   * many are escaped.
   *
   * @param text may quote what the file has
   */
  public static String sentence(String text) {
    return escaped(text, MAX_SENTENCE, "");
  }

  private static String escaped(String text, int max, String special) {
    StringBuilder out = new StringBuilder();
    int[] points = text.codePoints().limit(max + 1L).toArray();
    int i = 0;
    for (; i < Math.min(points.length, max) && out.length() < 2 * max; i++) {
      int c = points[i];
      int type = Character.getType(c);
      if (special.indexOf(c) >= 0) {
        out.append('\\').appendCodePoint(c);
      } else if (type == Character.CONTROL
          || type == Character.SURROGATE
          || type == Character.FORMAT
          || type == Character.LINE_SEPARATOR
          || type == Character.PARAGRAPH_SEPARATOR) {
        out.append(String.format("\\u%04x", c));
      } else {
        out.appendCodePoint(c);
      }
    }
    return out.append(i < points.length ? "..." : "").toString();
  }

  /** Returns the first numbers of a list in brackets. */
  static String numbers(List<Long> numbers) {
    return numbers.stream()
        .limit(MAX_LIST)
        .map(Object::toString)
        .collect(
            Collectors.joining(
                ", ",
                "[",
                numbers.size() > MAX_LIST ? ", ... " + numbers.size() + " in all]" : "]"));
  }

  /** Returns the first names of a list, quoted. */
  static String names(Iterable<String> names) {
    StringBuilder out = new StringBuilder();
    int count = 0;
    for (String name : names) {
      if (count++ == MAX_LIST) {
        return out.append(", ...").toString();
      }
      out.append(out.isEmpty() ? "" : ", ").append(quoted(name));
    }
    return out.isEmpty() ? "nothing" : out.toString();
  }
}
