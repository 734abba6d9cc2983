package dev.resid.experiments.report;

import static dev.resid.experiments.report.SmallCharts.chart;
import static dev.resid.experiments.report.SmallCharts.parse;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Chart.AxisKind;
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
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The page of a report. */
class ReportTest {
  private static final Pattern LOADED = Pattern.compile("(https?:)?//\\w|src=|url\\(|@import");

  @Test
  void theAnswerStandsBeforeFiguresAndNumbersBeforeDefinitions() {
    String html = page();
    String[] order = {
      "What it is about.",
      "Of 2 expectations of the sources 1 holds, 1 does not hold.",
      "href=\"#f0\">as expected?",
      "<h2>Figures",
      "<h2>Findings",
      "<li id=\"f0\"",
      "<h2>Table",
      "<h2>Terms",
      "<h2>Prose"
    };
    for (int i = 1; i < order.length; i++) {
      int before = html.indexOf(order[i - 1]);
      assertTrue(before >= 0 && before < html.indexOf(order[i]), order[i - 1] + ", " + order[i]);
    }
  }

  @Test
  void ofManyExpectationsThoseThatHoldAreFolded() {
    List<Finding> many = new java.util.ArrayList<>();
    for (int i = 0; i < 13; i++) {
      many.add(new Finding("claim " + i, "so", i == 5 ? Verdict.PARTLY : Verdict.HOLDS, ""));
    }
    String html = HtmlReport.of("t", "q", Map.of(), List.of(new Findings("f", "", many)));
    assertTrue(html.contains("Of 13 expectations of the sources 12 hold, 1 holds in part."), html);
    int folded = html.indexOf("<summary>12 hold");
    assertTrue(html.indexOf(">claim 5<") < folded && folded < html.indexOf(">claim 4<"), html);
  }

  @Test
  void manyNumbersOfAFindingAreAList() {
    String text = "KL, nats: a 1; b 2; c 3; d 4; e 5.";
    Finding list = new Finding("expected", text, Verdict.HOLDS, "");
    Finding line = new Finding("expected", "KL: a 1; b 2.", Verdict.HOLDS, "");
    String html =
        HtmlReport.of("t", "q", Map.of(), List.of(new Findings("f", "", List.of(list, line))));
    assertTrue(html.contains("<p>KL, nats:</p>") && html.contains("<li>a 1</li>"), html);
    assertTrue(html.contains("<li>e 5</li>") && html.contains("<p>KL: a 1; b 2.</p>"), html);
  }

  @Test
  void wordsOfCardsAreMarkedAndQuoted() {
    Section.Word falls = new Section.Word("<b> ", -0.5, "without it", Section.Focus.ELSEWHERE);
    Section.Word here = new Section.Word("x", 0, "", Section.Focus.HERE);
    Section.Word plain = new Section.Word("plain & ", 0, "", Section.Focus.ELSEWHERE);
    Section.WordLine text =
        new Section.WordLine("text", Section.Flow.TEXT, List.of(plain, falls, here));
    Section.Card card = new Section.Card("Feature 3", "facts", List.of(text));
    String html =
        HtmlReport.of(
            "t",
            "q",
            Map.of(),
            List.of(
                new Section.Cards(
                    "c", "i", List.of(new Section.CardGroup("an SAE", List.of(card))))));
    assertTrue(
        html.contains(
            "plain &amp; <mark class=\"less\" style=\"--part:0.50\" title=\"without it\">&lt;b&gt;"
                + " </mark><mark class=\"more here\""),
        html);
  }

  @Test
  void numbersReadWell() {
    assertEquals("0.0123", Numbers.significant(0.012345, 3));
    assertEquals("1.23·10⁻⁷", Numbers.significant(1.2345e-7, 3));
    assertEquals("−4.50", Numbers.significant(-4.5, 3));
    assertEquals("12346", Numbers.significant(12345.6, 5));
    assertEquals("12300", Numbers.significant(12345.6, 3));
    assertEquals("23", Numbers.brief(23));
    assertEquals("1.5·10⁻⁷", Numbers.brief(1.5e-7));
    assertEquals("0.1235", Numbers.brief(0.123456));
    assertEquals("0", Numbers.significant(0, 3));
    assertEquals("2\u202f000\u202f000", Numbers.grouped(2_000_000));
  }

  @Test
  void thePageNeedsNothingElse() {
    String html = page();
    java.util.regex.Matcher matcher = LOADED.matcher(html);
    assertFalse(
        matcher.find(),
        () -> html.substring(matcher.start(), Math.min(html.length(), matcher.start() + 60)));
    assertTrue(html.contains("default-src 'none'"));
  }

  @Test
  void thePageShowsWhatItIsGiven() throws Exception {
    String html = page();
    for (String text :
        List.of(
            "A &lt;title&gt;",
            "does not hold",
            "as expected?",
            "term &amp; meaning",
            "0.3333",
            "data-value=\"0.3333333333333333\"",
            "data-choice-axes=\"log\" hidden",
            "aria-pressed=\"true\" data-series=\"A &lt; B &amp; &quot;C&quot;\"")) {
      assertTrue(html.contains(text), text);
    }
    // Void elements apart, the page is well formed, so that no tag was left open.
    String body =
        html.substring(html.indexOf("<header>"), html.indexOf("<script>"))
            .replace("<wbr>", "")
            .replace(" hidden>", ">")
            .replace(" checked>", ">")
            .replaceAll("<input ([^>]*)>", "<input $1/>");
    parse("<body>" + body + "</body>");
  }

  private static String page() {
    ResultTable table =
        new ResultTable(
            List.of(
                new Column("name", Type.TEXT, "What."),
                new Column("kl_nats", Type.NUMBER, "How much.")));
    table.add("x<y", 1 / 3.0);
    return HtmlReport.of(
        "A <title>",
        "What it is about.",
        Map.of("results.csv", "results.csv"),
        List.of(
            new Findings(
                "Findings",
                "",
                List.of(
                    new Finding("as expected?", "no", Verdict.DOES_NOT_HOLD, "why"),
                    new Finding("and this?", "yes", Verdict.HOLDS, ""))),
            new Figures(
                "Figures",
                "Point.",
                List.of(
                    new Choice(
                        "axes",
                        "Axes",
                        new java.util.TreeMap<>(Map.of("linear", "linear", "log", "log")))),
                List.of(
                    new Figure(Map.of("axes", "linear"), "one", chart(AxisKind.LINEAR)),
                    new Figure(Map.of("axes", "log"), "two", chart(AxisKind.LOG)))),
            new Terms("Terms", "", List.of(new Term("term & meaning", "m"))),
            new Prose("Prose", List.of("p")),
            new Table("Table", "All.", table)));
  }
}
