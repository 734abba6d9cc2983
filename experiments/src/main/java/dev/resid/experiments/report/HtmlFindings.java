package dev.resid.experiments.report;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Writes what was expected and found into a page: in short, and one by one. */
final class HtmlFindings {
  /** From so many parts on an enumeration is a list. */
  private static final int MANY = 5;

  /** Longer lists are folded. */
  private static final int MOST = 20;

  /** Of more expectations only those that do not hold, or not everywhere, are listed at first. */
  private static final int SHORT = 12;

  private final StringBuilder html;

  /** Findings that were written. */
  private int shown;

  HtmlFindings(StringBuilder html) {
    this.html = html;
  }

  /** What was found, a line for each expectation, so that nobody has to look for the answer. */
  void inShort(List<Finding> findings) {
    if (findings.isEmpty()) {
      return;
    }
    Map<Verdict, Integer> counts = new EnumMap<>(Verdict.class);
    findings.forEach(finding -> counts.merge(finding.verdict(), 1, Integer::sum));
    List<String> parts = new ArrayList<>();
    counts.forEach((verdict, count) -> parts.add(verdict.counted(count)));
    html.append("<div class=\"short\">\n");
    HtmlReport.element(
        html,
        "p",
        (findings.size() == 1
                ? "The one expectation: "
                : "Of " + findings.size() + " expectations of the sources ")
            + String.join(", ", parts)
            + ".");
    if (findings.size() <= SHORT) {
      list(findings, finding -> true);
    } else {
      Set<Verdict> plain = EnumSet.of(Verdict.PARTLY, Verdict.DOES_NOT_HOLD);
      list(findings, finding -> plain.contains(finding.verdict()));
      counts.forEach(
          (verdict, count) -> {
            if (!plain.contains(verdict)) {
              html.append("<details><summary>").append(verdict.counted(count));
              html.append("</summary>\n");
              list(findings, finding -> finding.verdict() == verdict);
              html.append("</details>\n");
            }
          });
    }
    html.append("</div>\n");
  }

  private void list(List<Finding> findings, Predicate<Finding> which) {
    html.append("<ul>\n");
    for (int i = 0; i < findings.size(); i++) {
      Finding finding = findings.get(i);
      if (!which.test(finding)) {
        continue;
      }
      html.append("<li class=\"").append(kind(finding)).append("\"><a href=\"#f").append(i);
      html.append("\">").append(SvgWriter.escape(finding.expected())).append("</a>");
      html.append("<span class=\"unseen\">: ").append(finding.verdict().words());
      html.append("</span></li>\n");
    }
    html.append("</ul>\n");
  }

  private static String kind(Finding finding) {
    return finding.verdict().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Writes all expectations with what was found. */
  void write(List<Finding> findings) {
    html.append("<ul class=\"findings\">\n");
    for (Finding finding : findings) {
      html.append("<li id=\"f").append(shown).append("\" class=\"").append(kind(finding));
      html.append("\">\n");
      shown++;
      HtmlReport.element(html, "p class=\"verdict\"", finding.verdict().words());
      html.append("<div>");
      HtmlReport.element(html, "p class=\"expected\"", finding.expected());
      found(finding.found());
      if (!finding.detail().isEmpty()) {
        HtmlReport.element(html, "p class=\"detail\"", finding.detail());
      }
      html.append("</div></li>\n");
    }
    html.append("</ul>\n");
  }

  /** Many numbers one after another, separated by semicolons, are set as a list. */
  private void found(String text) {
    String[] parts = text.split("; ");
    if (parts.length < MANY) {
      HtmlReport.element(html, "p", text);
      return;
    }
    int colon = parts[0].lastIndexOf(": ");
    if (colon > 0) {
      HtmlReport.element(html, "p", parts[0].substring(0, colon + 1));
    }
    boolean folded = parts.length > MOST;
    if (folded) {
      html.append("<details><summary>").append(parts.length).append(" numbers</summary>\n");
    }
    html.append("<ul class=\"numbers\">\n");
    for (int i = 0; i < parts.length; i++) {
      String part = i == 0 && colon > 0 ? parts[i].substring(colon + 2) : parts[i];
      HtmlReport.element(html, "li", i == parts.length - 1 ? part.replaceAll("\\.$", "") : part);
    }
    html.append(folded ? "</ul></details>\n" : "</ul>\n");
  }
}
