package dev.resid.experiments.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * Reports in a real browser, with a page that holds every kind of section and figure. With {@code
 * -Dresid.test.reports=FOLDER} every {@code report.html} below a folder is looked at too.
 */
class BrowserReportsTest {
  private static final int PHONE = 390;

  private static final int DESKTOP = 1280;

  @TempDir private static Path folder;

  private static Chromium browser;

  private static Path page;

  @BeforeAll
  static void start() throws IOException {
    Optional<Path> program = Chromium.find();
    assumeTrue(
        program.isPresent(),
        "no Chromium or Chrome on the path, and the environment variable CHROME names none");
    page = Files.writeString(folder.resolve("report.html"), SamplePage.html());
    browser = Chromium.start(program.get(), Files.createDirectory(folder.resolve("profile")));
  }

  @AfterAll
  static void stop() throws IOException {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void fresh() {
    browser.device(DESKTOP, 900, "light");
    browser.open(page);
  }

  @Test
  void everythingOnThePageWorksAtEveryWidthAndInTheDark() throws IOException {
    JsonNode counts = look(page, List.of(PHONE, DESKTOP), List.of("light", "dark"));
    assertEquals(8, counts.get("panels").asInt(), "panels that are shown at first");
    assertEquals(8, counts.get("entries").asInt(), "legend entries");
    assertEquals(3, counts.get("heads").asInt(), "heads of columns");
  }

  @Test
  void whatADiskPageMayNotDoIsNoticed() throws IOException {
    Path bad =
        Files.writeString(
            folder.resolve("bad.html"),
            "<body><script>console.error('one')</script><script>nothing()</script>"
                + "<img src=\"missing.png\"></body>");
    browser.open(bad);
    String complaints = browser.complaints().toString();
    for (String part : List.of("\"one\"", "nothing is not defined", "missing.png")) {
      assertTrue(complaints.contains(part), part + " in " + complaints);
    }
  }

  @Test
  void pointingWithTheMouseShowsTheValuesThere() {
    double[] at = middle(".panel [data-tip^='10|']");
    browser.pointAt(at[0], at[1]);
    String tip = tip();
    assertTrue(tip.contains("x = 10: KL and its 95 % interval"), tip);
    assertTrue(tip.contains("first & \"best\"2.00(1.90 to 2.20)"), tip);
    assertTrue(tip.contains("second5.00(4.90 to 5.10)"), tip);
    browser.pointAt(1, 1);
    assertEquals("", tip());
    double[] cell = middle("[data-cell*='row b']");
    browser.pointAt(cell[0], cell[1]);
    assertEquals("layer row b, head 0: −0.500", tip());
  }

  @Test
  void clickingALegendEntryHidesItsCurveAndItsValues() {
    double[] entry = middle(".legend button[data-series='second']");
    browser.click(entry[0], entry[1]);
    assertEquals("none", display("second"));
    assertFalse("none".equals(display("first & \\\"best\\\"")));
    double[] at = middle(".panel [data-tip^='10|']");
    browser.pointAt(at[0], at[1]);
    assertTrue(tip().contains("2.00") && !tip().contains("5.00"), tip());
    double[] again = middle(".legend button[data-series='second']");
    browser.click(again[0], again[1]);
    assertFalse("none".equals(display("second")));
  }

  @Test
  void everyControlIsReachedByTabAndShowsTheFocus() {
    int expected =
        browser
            .evaluate(
                "[...document.querySelectorAll('a, button, .panel, .scroll, summary,"
                    + " input:checked')].filter(e => e.getClientRects().length).length")
            .asInt();
    for (int i = 0; i < expected; i++) {
      browser.press("Tab");
      JsonNode focus =
          browser.evaluate(
              "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
                  + " e.dataset.reached = ''; return [e.tagName + ' ' + e.textContent.slice(0, 40),"
                  + " s.outlineStyle, parseFloat(s.outlineWidth)]; })()");
      assertTrue(
          !focus.get(1).asString().equals("none") && focus.get(2).asDouble() >= 2,
          "the focus is not seen on " + focus);
    }
    assertEquals(
        expected, browser.evaluate("document.querySelectorAll('[data-reached]').length").asInt());
  }

  @Test
  void arrowKeysReadPointAfterPoint() {
    focus(".panel");
    browser.press("ArrowRight");
    assertTrue(tip().contains("x = 1:"), tip());
    browser.press("ArrowRight");
    assertTrue(tip().contains("x = 10:") && tip().contains("2.00"), tip());
    browser.press("End");
    assertTrue(tip().contains("x = 30:"), tip());
    browser.press("ArrowLeft");
    assertTrue(tip().contains("x = 10:"), tip());
    browser.press("Escape");
    assertEquals("", tip());
  }

  @Test
  void inACloudTheNearestPointIsTold() {
    // The first and the last point lie above one another but for a pixel.
    double[] at = middle(".panel[data-pick=point] [data-tip$='|upper']");
    browser.pointAt(at[0] - 1, at[1] + 2);
    assertTrue(
        tip().startsWith("upper") && tip().contains("x2.01") && tip().contains("9.00"), tip());
    double[] lower = middle(".panel[data-pick=point] [data-tip$='|lower']");
    browser.pointAt(lower[0] + 1, lower[1] - 2);
    assertTrue(tip().startsWith("lower") && tip().contains("1.00"), tip());
  }

  @Test
  void arrowKeysFollowALineAndGoToTheNext() {
    focus(".panel[data-pick=line]");
    browser.press("ArrowRight");
    assertTrue(
        tip().startsWith("high") && tip().contains("axis a") && tip().contains("3.00"), tip());
    browser.press("ArrowRight");
    assertTrue(
        tip().startsWith("high") && tip().contains("axis b") && tip().contains("2.00"), tip());
    browser.press("ArrowDown");
    assertTrue(
        tip().startsWith("low") && tip().contains("axis b") && tip().contains("−2.00"), tip());
    browser.press("Home");
    assertTrue(tip().startsWith("low") && tip().contains("axis a"), tip());
    assertEquals(1, browser.evaluate("document.querySelectorAll('.picked').length").asInt());
  }

  @Test
  void arrowKeysGoFromCellToCell() {
    focus(".panel.cells");
    browser.press("ArrowDown");
    assertEquals("layer row b, head 0: −0.500", tip());
    browser.press("ArrowRight");
    assertEquals("layer row b, head 1: 0.250", tip());
    browser.press("ArrowRight");
    assertEquals("layer row b, head 2: 0.100", tip());
    browser.press("ArrowDown");
    assertEquals("layer row a, head 2: 3.00", tip());
    browser.press("Home");
    assertEquals("layer row a, head 0: 1.00", tip());
    browser.press("ArrowUp");
    assertEquals("layer row b, head 0: −0.500", tip());
  }

  @Test
  void tablesAreSortedByClicksAndByKeys() {
    double[] head = middle("th:nth-child(2) button");
    browser.click(head[0], head[1]);
    assertEquals(List.of("−20.00", "0.5000", "3.000", "100.0"), column(2));
    assertEquals("ascending", browser.evaluate(sorted(2)).asString());
    browser.press("Enter");
    assertEquals(List.of("100.0", "3.000", "0.5000", "−20.00"), column(2));
    assertEquals("descending", browser.evaluate(sorted(2)).asString());
    focus("th:nth-child(3) button");
    browser.press(" ");
    assertEquals(List.of("9", "10", "200", "1\u202f000"), column(3));
    assertTrue(browser.evaluate(sorted(2)).isNull(), "one column is marked");
  }

  @Test
  void aDarkPageHasDarkFigures() {
    String paper = "getComputedStyle(document.body).backgroundColor";
    String curve = "getComputedStyle(document.querySelector('.panel .s-blue')).stroke";
    String lightPaper = browser.evaluate(paper).asString();
    String lightCurve = browser.evaluate(curve).asString();
    browser.device(DESKTOP, 900, "dark");
    assertEquals("rgb(255, 255, 255)", lightPaper);
    assertEquals("rgb(23, 24, 28)", browser.evaluate(paper).asString());
    assertFalse(lightCurve.equals(browser.evaluate(curve).asString()));
  }

  @Test
  void paperHasNothingToChooseAndWholeTables() {
    browser.device(DESKTOP, 900, "dark");
    browser.paper();
    assertEquals(
        "none",
        browser
            .evaluate("getComputedStyle(document.querySelector('.choices')).display")
            .asString());
    assertEquals(
        "none",
        browser
            .evaluate("getComputedStyle(document.querySelector('.scroll')).maxHeight")
            .asString());
    assertEquals(
        "rgb(0, 0, 0)", browser.evaluate("getComputedStyle(document.body).color").asString());
  }

  @Test
  void reportsOfAFolderWork() throws IOException {
    String given = System.getProperty("resid.test.reports", "");
    assumeTrue(!given.isEmpty(), "-Dresid.test.reports names no folder with reports to look at");
    List<Path> reports;
    try (Stream<Path> files = Files.walk(Path.of(given))) {
      reports = files.filter(file -> file.endsWith("report.html")).sorted().toList();
    }
    assertFalse(reports.isEmpty(), "no report.html below " + given);
    List<String> failures = new ArrayList<>();
    for (Path report : reports) {
      try {
        look(report, List.of(PHONE, DESKTOP), List.of("light", "dark"));
      } catch (AssertionError e) {
        failures.add(e.getMessage());
      }
    }
    assertEquals(List.of(), failures);
  }

  /** Looks at a report on every device and returns how much was looked at. */
  private static JsonNode look(Path report, List<Integer> widths, List<String> schemes)
      throws IOException {
    List<String> wrong = new ArrayList<>();
    JsonNode found = null;
    // Each width and each scheme once: colours do not depend on the width.
    for (int i = 0; i < widths.size(); i++) {
      ReportAudit audit = ReportAudit.of(browser, report, widths.get(i), schemes.get(i));
      found = audit.found();
      wrong.addAll(audit.wrong());
    }
    assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
    return found;
  }

  /** Returns the middle of an element that was scrolled into view, in pixels of the window. */
  private static double[] middle(String selector) {
    JsonNode at =
        browser.evaluate(
            "(() => { const e = document.querySelector(\""
                + selector
                + "\"); e.scrollIntoView({ block: 'center' }); return new Promise(done =>"
                + " requestAnimationFrame(() => setTimeout(() => {"
                + " const b = e.getBoundingClientRect();"
                + " done([b.x + b.width / 2, b.y + b.height / 2]); }))); })()");
    return new double[] {at.get(0).asDouble(), at.get(1).asDouble()};
  }

  private static void focus(String selector) {
    middle(selector);
    browser.evaluate("document.querySelector(\"" + selector + "\").focus()");
  }

  /** Returns what the box with values says; nothing where it is hidden. */
  private static String tip() {
    return browser
        .evaluate(
            "(() => { const t = document.getElementById('tip');"
                + " return t.checkVisibility() ? t.textContent : ''; })()")
        .asString();
  }

  private static String display(String series) {
    return browser
        .evaluate(
            "getComputedStyle([...document.querySelectorAll('.panel g[data-name]')].find(g =>"
                + " g.dataset.name === \""
                + series
                + "\")).display")
        .asString();
  }

  private static String sorted(int column) {
    return "document.querySelector('th:nth-child(" + column + ")').getAttribute('aria-sort')";
  }

  private static List<String> column(int column) {
    JsonNode cells =
        browser.evaluate(
            "[...document.querySelectorAll('td:nth-child("
                + column
                + ")')].map(c => c.textContent)");
    return cells.valueStream().map(JsonNode::asString).toList();
  }
}
