package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.JointPlot.Axes;
import dev.resid.experiments.report.Section.Answer;
import dev.resid.experiments.report.Section.Cards;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import dev.resid.experiments.report.Section.Findings;
import dev.resid.experiments.report.Section.Prose;
import dev.resid.experiments.report.Section.Table;
import dev.resid.experiments.report.Section.Term;
import dev.resid.experiments.report.Section.Terms;
import dev.resid.experiments.result.ResultTable.Column;
import dev.resid.experiments.result.ResultTable.Type;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes a report as one HTML page that needs nothing else: style, script and figures are inside,
 * and its security policy forbids it to load anything.
 */
public final class HtmlReport {
  /** Of more points above one another only the nearest is told. */
  private static final int MOST_COLUMN = 12;

  private final StringBuilder html = new StringBuilder();
  private final HtmlFindings verdicts = new HtmlFindings(html);
  private int sections;
  private int tables;

  private HtmlReport() {}

  /**
   * Returns the page: the question, what was found in short, then figures, findings, numbers, and
   * what explains them, each in the order given.
   *
   * @param title its title
   * @param lead the question, in one or two sentences
   * @param files names and paths, relative to the page, of files that belong to it
   * @param sections its parts
   */
  public static String of(
      String title, String lead, Map<String, String> files, List<Section> sections) {
    HtmlReport report = new HtmlReport();
    List<Section> ordered =
        sections.stream().sorted(Comparator.comparingInt(HtmlReport::rank)).toList();
    report.page(title, lead, files, ordered);
    return report.html.toString();
  }

  private static int rank(Section section) {
    return switch (section) {
      case Answer answer -> -1;
      case Figures figures -> 0;
      case Findings findings -> 1;
      case Cards cards -> 2;
      case Table table -> 3;
      case Terms terms -> 4;
      case Prose prose -> 4;
    };
  }

  private void page(String title, String lead, Map<String, String> files, List<Section> sections) {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    html.append("style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n");
    html.append("<title>").append(escape(title)).append("</title>\n<style>\n");
    html.append(resource("report.css")).append(inks()).append("</style>\n</head>\n<body>\n");
    html.append("<header>\n");
    element("h1", title);
    element("p class=\"lead\"", lead);
    verdicts.inShort(
        sections.stream()
            .filter(Findings.class::isInstance)
            .flatMap(some -> ((Findings) some).findings().stream())
            .toList());
    if (!files.isEmpty()) {
      html.append("<p class=\"files\">Files beside this page: ");
      String separator = "";
      for (Map.Entry<String, String> file : files.entrySet()) {
        html.append(separator).append("<a href=\"").append(escape(file.getValue())).append("\">");
        html.append(escape(file.getKey())).append("</a>");
        separator = " · ";
      }
      html.append("</p>\n");
    }
    html.append("<nav aria-label=\"Sections\"><ul>\n");
    for (int i = 0; i < sections.size(); i++) {
      html.append("<li><a href=\"#s").append(i).append("\">");
      html.append(escape(sections.get(i).heading())).append("</a></li>\n");
    }
    html.append("</ul></nav>\n</header>\n<main>\n");
    sections.forEach(this::section);
    html.append("</main>\n<div id=\"tip\" role=\"status\" aria-live=\"polite\" hidden></div>\n");
    html.append("<script>\n").append(resource("report.js")).append("</script>\n");
    html.append("</body>\n</html>\n");
  }

  /** Classes of the figures' colours, which a dark page replaces through its properties. */
  private static String inks() {
    StringBuilder css = new StringBuilder();
    for (Ink ink : Ink.values()) {
      String value = "var(--" + ink.cssName() + ")";
      css.append(".f-").append(ink.cssName()).append("{fill:").append(value).append("}\n");
      css.append(".s-").append(ink.cssName()).append("{stroke:").append(value).append("}\n");
    }
    return css.append(".f-none{fill:none}\n").toString();
  }

  private void section(Section section) {
    html.append("<section id=\"s").append(sections).append("\">\n");
    sections++;
    element("h2", section.heading());
    switch (section) {
      case Answer answer -> {
        html.append("<div class=\"short answer\">\n");
        answer.paragraphs().forEach(p -> element("p", p));
        html.append("</div>\n");
      }
      case Prose prose -> prose.paragraphs().forEach(p -> element("p", p));
      case Terms terms -> terms(terms);
      case Findings findings -> {
        intro(findings.intro());
        verdicts.write(findings.findings());
      }
      case Figures figures -> figures(figures);
      case Cards cards -> {
        intro(cards.intro());
        new HtmlCards(html).write(cards);
      }
      case Table table -> table(table);
    }
    html.append("</section>\n");
  }

  private void terms(Terms terms) {
    intro(terms.intro());
    html.append("<dl>\n");
    for (Term term : terms.entries()) {
      element("dt", term.name());
      element("dd", term.meaning());
    }
    html.append("</dl>\n");
  }

  private void figures(Figures figures) {
    intro(figures.intro());
    html.append("<div class=\"choices\">\n");
    for (Choice choice : figures.choices()) {
      if (choice.options().size() < 2) {
        continue; // nothing to choose
      }
      html.append("<fieldset><legend>").append(escape(choice.label())).append("</legend>\n");
      String checked = " checked";
      for (Map.Entry<String, String> option : choice.options().entrySet()) {
        html.append("<label><input type=\"radio\" name=\"s").append(sections).append('-');
        html.append(escape(choice.key())).append("\" data-choice=\"").append(escape(choice.key()));
        html.append("\" value=\"").append(escape(option.getKey())).append('"').append(checked);
        html.append("> ").append(escape(option.getValue())).append("</label>\n");
        checked = "";
      }
      html.append("</fieldset>\n");
    }
    html.append("</div>\n");
    for (Figure figure : figures.figures()) {
      figure(figure, figures.choices());
    }
  }

  private void figure(Figure figure, List<Choice> choices) {
    boolean first = true;
    html.append("<figure");
    for (Choice choice : choices) {
      String chosen = figure.chosen().get(choice.key());
      if (chosen == null) {
        continue;
      }
      html.append(" data-choice-").append(choice.key()).append("=\"");
      html.append(escape(chosen)).append('"');
      first &= choice.options().keySet().iterator().next().equals(chosen);
    }
    html.append(first ? ">\n" : " hidden>\n");
    element("h3", figure.chart().title());
    element("p class=\"subtitle\"", figure.chart().subtitle());
    switch (figure.chart()) {
      case Chart chart -> chart(chart);
      case HeatMap map -> heatMap(map);
      case JointPlot joint -> joint(joint);
      case ParallelPlot parallel -> parallel(parallel);
    }
    html.append("</div>\n<figcaption>").append(escape(figure.chart().source()));
    html.append(" · files: ");
    link("figures/" + figure.name() + ".svg", "SVG");
    html.append(", ");
    link("figures/" + figure.name() + ".png", "PNG");
    html.append("</figcaption>\n</figure>\n");
  }

  private void heatMap(HeatMap map) {
    html.append("<div class=\"colours\">");
    html.append(SvgWriter.write(HeatMapLayout.scale(map), SvgWriter.Place.PAGE));
    element("span", map.value());
    html.append("</div>\n<div class=\"panels\">\n");
    for (int i = 0; i < map.panels().size(); i++) {
      html.append("<div class=\"panel cells\" tabindex=\"0\">\n");
      html.append(SvgWriter.write(HeatMapLayout.panel(map, i), SvgWriter.Place.PAGE));
      html.append("</div>\n");
    }
  }

  private void chart(Chart chart) {
    legend(ChartLayout.series(chart));
    html.append("<div class=\"panels\">\n");
    for (int i = 0; i < chart.panels().size(); i++) {
      AxisSpec y = chart.panels().get(i).ownY().orElse(chart.y());
      panel(chart.x(), y, pick(chart.panels().get(i).series()), ChartLayout.panel(chart, i));
    }
  }

  private void joint(JointPlot joint) {
    legend(JointLayout.series(joint));
    html.append("<div class=\"panels\">\n");
    for (int i = 0; i < joint.panels().size(); i++) {
      Axes axes = joint.panels().get(i);
      panel(axes.x(), axes.y(), "point", JointLayout.panel(joint, i));
    }
  }

  private void parallel(ParallelPlot plot) {
    html.append("<div class=\"colours\">");
    html.append(SvgWriter.write(ParallelLayout.scale(plot), SvgWriter.Place.PAGE));
    element("span", plot.colour());
    html.append("</div>\n<div class=\"panels\">\n");
    panel(plot.x(), plot.y(), "line", ParallelLayout.panel(plot));
  }

  /**
   * Returns what the pointer picks: all points above one another, or in a cloud of symbols, of
   * which few are, the nearest one.
   */
  private static String pick(List<Series> series) {
    List<Chart.Value> points =
        series.stream()
            .filter(one -> one.trace() == Trace.MARKS)
            .flatMap(one -> one.points().stream())
            .toList();
    long places = points.stream().mapToDouble(Chart.Value::x).distinct().count();
    boolean cloud = points.size() > 1 && 2 * places >= points.size();
    return cloud || points.size() > MOST_COLUMN * places ? "point" : "column";
  }

  private void legend(Stream<Series> all) {
    html.append("<div class=\"legend\" role=\"group\" aria-label=\"Show or hide curves\">\n");
    Legend.names(all)
        .forEach(
            (name, series) -> {
              html.append("<button type=\"button\" aria-pressed=\"true\" data-series=\"");
              html.append(escape(name)).append("\">");
              html.append("<span aria-hidden=\"true\">");
              html.append(SvgWriter.write(Legend.sample(series), SvgWriter.Place.PAGE));
              html.append("</span>").append(escape(name)).append("</button>\n");
            });
    html.append("</div>\n");
  }

  private void panel(AxisSpec x, AxisSpec y, String pick, Drawing drawing) {
    html.append("<div class=\"panel\" tabindex=\"0\" data-pick=\"").append(pick);
    html.append("\" data-x=\"").append(escape(x.symbol()));
    html.append("\" data-y=\"").append(escape(y.symbol())).append("\">\n");
    html.append(SvgWriter.write(drawing, SvgWriter.Place.PAGE)).append("</div>\n");
  }

  private void link(String path, String text) {
    html.append("<a href=\"").append(escape(path)).append("\">").append(text).append("</a>");
  }

  private void table(Table table) {
    intro(table.intro());
    html.append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    html.append(escape(table.heading())).append("\">\n<table id=\"t").append(tables);
    html.append("\" class=\"sortable\">\n<thead><tr>");
    tables++;
    List<Column> columns = table.table().columns();
    for (Column column : columns) {
      html.append("<th scope=\"col\" title=\"").append(escape(column.description()));
      html.append("\"><button type=\"button\">");
      html.append(escape(column.name()).replace("_", "_<wbr>")).append("</button></th>");
    }
    html.append("</tr></thead>\n<tbody>\n");
    for (List<Object> row : table.table().rows()) {
      html.append("<tr>");
      for (int c = 0; c < row.size(); c++) {
        if (columns.get(c).type() == Type.TEXT) {
          element("td", (String) row.get(c));
        } else {
          double value = ((Number) row.get(c)).doubleValue();
          html.append("<td class=\"number\" data-value=\"").append(row.get(c)).append("\">");
          html.append(
              columns.get(c).type() == Type.WHOLE
                  ? Numbers.grouped((long) value)
                  : Numbers.significant(value, 4));
          html.append("</td>");
        }
      }
      html.append("</tr>\n");
    }
    html.append("</tbody>\n</table>\n</div>\n");
    html.append("<details><summary>What the columns are</summary>\n<dl>\n");
    for (Column column : columns) {
      element("dt", column.name());
      element("dd", column.description());
    }
    html.append("</dl>\n</details>\n");
  }

  private void intro(String text) {
    if (!text.isEmpty()) {
      element("p", text);
    }
  }

  private void element(String tag, String text) {
    element(html, tag, text);
  }

  /** Writes a tag with its attributes, text, and the end of the tag. */
  static void element(StringBuilder html, String tag, String text) {
    String name = tag.split(" ")[0];
    html.append('<').append(tag).append('>').append(escape(text));
    html.append("</").append(name).append(">\n");
  }

  private static String escape(String text) {
    return SvgWriter.escape(text);
  }

  private static String resource(String name) {
    try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + name + " is missing; rebuild Resid");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
