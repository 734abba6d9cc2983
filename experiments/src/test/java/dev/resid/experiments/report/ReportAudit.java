package dev.resid.experiments.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * What is wrong with a report in a browser, by {@code audit.js}.
 *
 * @param wrong one sentence each
 * @param found how much was looked at
 */
record ReportAudit(List<String> wrong, JsonNode found) {
  /**
   * Opens a report and works through it.
   *
   * @param width of the window, in pixels
   * @param scheme light or dark
   */
  static ReportAudit of(Chromium browser, Path report, int width, String scheme)
      throws IOException {
    browser.device(width, 900, scheme);
    browser.open(report);
    JsonNode found = browser.evaluate(script());
    String where = report + " at " + width + " px, " + scheme + ": ";
    List<String> wrong = new ArrayList<>();
    found.get("wrong").forEach(sentence -> wrong.add(where + sentence.asString()));
    browser.complaints().forEach(complaint -> wrong.add(where + complaint));
    return new ReportAudit(wrong, found);
  }

  private static String script() throws IOException {
    try (InputStream in = ReportAudit.class.getResourceAsStream("audit.js")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
