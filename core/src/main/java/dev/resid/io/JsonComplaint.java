package dev.resid.io;

import java.util.List;
import tools.jackson.core.JacksonException;

/** What a JSON parser found wrong, in words fit for one line of an error message. */
public final class JsonComplaint {
  /** Where the parser's hints about its own settings and places begin. */
  private static final List<String> HINTS =
      List.of(" (start marker at", " (not recognized as one", " (through ", ", from `Stream");

  private JsonComplaint() {}

  /**
   * Returns what the parser found, without its hints about its own settings, unprintable characters
   * escaped.
   *
   * @param e the parser's exception
   */
  public static String of(JacksonException e) {
    String text = String.valueOf(e.getOriginalMessage());
    for (String hint : HINTS) {
      int cut = text.indexOf(hint);
      if (cut >= 0) {
        boolean open = text.substring(0, cut).lastIndexOf('(') > text.lastIndexOf(')', cut);
        text = text.substring(0, cut) + (open ? ")" : "");
      }
    }
    return Printable.line(text);
  }
}
