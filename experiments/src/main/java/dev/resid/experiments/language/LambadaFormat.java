package dev.resid.experiments.language;

import dev.resid.io.JsonComplaint;
import dev.resid.io.Printable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * LAMBADA passages, one a line: JSON objects {@code {"text": ...}}, as OpenAI published them, or
 * plain text, as the authors did. What follows a passage's last space is the answer.
 */
final class LambadaFormat {
  /** What a file is taken for goes into its errors, because it is a guess. */
  private static final String AS_JSON = " (taken as JSON lines, because the file begins with {)";

  private static final String AS_TEXT =
      " (taken as plain text, because the file does not begin with {)";

  private LambadaFormat() {}

  static List<ClozeItem> parse(String text, String name) throws IOException {
    boolean json = text.stripLeading().startsWith("{");
    List<ClozeItem> items = new ArrayList<>();
    String[] lines = text.split("\r?\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        String where = name + ", line " + (i + 1);
        String taken = json ? where + AS_JSON : where + AS_TEXT;
        items.add(item(json ? passage(lines[i], taken) : lines[i], taken));
      }
    }
    if (items.isEmpty()) {
      throw new IOException(name + " has no passages");
    }
    return List.copyOf(items);
  }

  private static String passage(String line, String where) throws IOException {
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(line);
    } catch (JacksonException e) {
      throw new IOException(where + " is not JSON: " + JsonComplaint.of(e), e);
    }
    JsonNode text = json.path("text");
    if (!text.isString()) {
      throw new IOException(where + " has no \"text\"; a line is {\"text\": \"...\"}");
    }
    return text.stringValue();
  }

  private static ClozeItem item(String passage, String where) throws IOException {
    String whole = passage.strip();
    int space = whole.lastIndexOf(' ');
    if (space < 0 || whole.substring(0, space).isBlank()) {
      throw new IOException(
          where
              + " has no space, so there is nothing before its last word: "
              + Printable.quoted(whole));
    }
    return new ClozeItem(whole.substring(0, space), whole.substring(space + 1));
  }
}
