package dev.resid.experiments.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Findings;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.ResultTable;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    page = Files.writeString(folder.resolve("report.html"), html());
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

  /** Returns a page with every kind of section, figure and trace. */
  private static String html() {
    Map<String, String> axes = new LinkedHashMap<>();
    axes.put("linear", "linear");
    axes.put("log", "logarithmic");
    List<Value> first =
        List.of(new Value(1, 1, 0.9, 1.1), new Value(10, 2, 1.9, 2.2), new Value(30, 4, 3, 5));
    List<Value> second =
        List.of(new Value(1, 3, 2.9, 3.1), new Value(10, 5, 4.9, 5.1), new Value(30, 6, 5, 7));
    List<Value> plain = List.of(Value.at(2, 4), Value.at(4, 1), Value.at(6, 0));
    return HtmlReport.of(
        "A report",
        "Is every part of it usable?",
        Map.of("results.csv", "results.csv"),
        List.of(
            new Findings(
                "Findings",
                "How they are decided.",
                Arrays.stream(Verdict.values())
                    .map(verdict -> new Finding("expected", "found", verdict, "why"))
                    .toList()),
            new Figures(
                "Curves",
                "Point at them.",
                List.of(new Choice("axes", "Axes", axes)),
                List.of(
                    figure("linear", AxisKind.LINEAR, first, second),
                    figure("log", AxisKind.LOG, first, second))),
            new Figures(
                "Traces",
                "",
                List.of(),
                List.of(
                    new Figure(
                        Map.of(),
                        "traces",
                        chart(
                            AxisKind.LINEAR,
                            List.of(
                                panel("bars", series("bars", Style.RAMP_5, Trace.BARS, plain)),
                                panel("steps", series("steps", Style.RAMP_7, Trace.STEPS, plain)),
                                panel(
                                    "marks",
                                    series("marks", Style.RAMP_8, Trace.MARKS, plain))))))),
            new Figures("Cells", "", List.of(), List.of(new Figure(Map.of(), "cells", heatMap()))),
            new Figures("Cloud", "", List.of(), List.of(new Figure(Map.of(), "cloud", cloud()))),
            new Figures("Lines", "", List.of(), List.of(new Figure(Map.of(), "lines", lines()))),
            cards(),
            new Terms("Terms", "", List.of(new Term("blocks.3.hook_resid_pre", "a point"))),
            new Prose("Prose", List.of("A paragraph.")),
            new Table("Numbers", "Sortable.", table())));
  }

  private static ResultTable table() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("name", Type.TEXT, "What."),
                new Column("kl_nats", Type.NUMBER, "How much."),
                new Column("count", Type.WHOLE, "How many.")));
    table.add("b", 100.0, 9L);
    table.add("a", 0.5, 200L);
    table.add("d", 3.0, 1000L);
    table.add("c", -20.0, 10L);
    return table;
  }

  private static Chart cloud() {
    Series points =
        series(
            "points",
            Style.PURPLE_DASHED,
            Trace.MARKS,
            List.of(
                Value.named("lower", 2, 1),
                Value.named("far", 20, 5),
                Value.named("upper", 2.01, 9)));
    return chart(AxisKind.LINEAR, List.of(panel("cloud", points)));
  }

  private static ParallelPlot lines() {
    return new ParallelPlot(
        "Lines",
        "subtitle",
        "source",
        AxisSpec.of("axis", "axis", List.of("axis a", "axis b")),
        new AxisSpec("KL (nats)", "KL", AxisKind.SIGNED),
        "KL at a",
        List.of(
            new ParallelPlot.Thread("low", 1, List.of(1.0, -2.0)),
            new ParallelPlot.Thread("high", 3, List.of(3.0, 2.0))));
  }

  private static Section cards() {
    Section.Word word = new Section.Word("token", 0.9, "logit 1", Section.Focus.HERE);
    Section.WordLine line = new Section.WordLine("promotes", Section.Flow.LIST, List.of(word));
    Section.Card card = new Section.Card("Feature 1", "facts", List.of(line));
    return new Section.Cards("Cards", "", List.of(new Section.CardGroup("an SAE", List.of(card))));
  }

  private static HeatMap heatMap() {
    HeatMap.Cells cells =
        new HeatMap.Cells(
            "cells",
            "layer",
            List.of("row a", "row b"),
            "head",
            List.of("0", "1", "2"),
            List.of(List.of(1.0, 2.0, 3.0), List.of(-0.5, 0.25, 0.1)));
    return new HeatMap("Cells", "subtitle", "source", "share", List.of(cells));
  }

  private static Figure figure(String axes, AxisKind kind, List<Value> first, List<Value> second) {
    Series one = series("first & \"best\"", Style.BLUE_SOLID, Trace.CURVE, first);
    Series two = series("second", Style.VERMILION_DASHED, Trace.CURVE, second);
    return new Figure(
        Map.of("axes", axes),
        axes,
        chart(kind, List.of(panel("both", one, two), panel("one", one))));
  }

  private static Series series(String name, Style style, Trace trace, List<Value> values) {
    return new Series(name, name, style, trace, values);
  }

  private static Panel panel(String title, Series... series) {
    return new Panel(title, List.of(series), Optional.empty());
  }

  private static Chart chart(AxisKind kind, List<Panel> panels) {
    return new Chart(
        "Title",
        "subtitle",
        "source",
        new AxisSpec("length (model units)", "x", kind),
        new AxisSpec("KL (nats)", "KL", kind),
        panels);
  }
}
