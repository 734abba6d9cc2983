package dev.resid.experiments.report;

import dev.resid.experiments.report.Section.Card;
import dev.resid.experiments.report.Section.CardGroup;
import dev.resid.experiments.report.Section.Cards;
import dev.resid.experiments.report.Section.Flow;
import dev.resid.experiments.report.Section.Focus;
import dev.resid.experiments.report.Section.Word;
import dev.resid.experiments.report.Section.WordLine;
import java.util.Locale;

/** Writes things with lines of marked words into a page. */
final class HtmlCards {
  private final StringBuilder html;

  HtmlCards(StringBuilder html) {
    this.html = html;
  }

  /** Writes all cards. */
  void write(Cards cards) {
    String open = " open";
    for (CardGroup group : cards.groups()) {
      html.append("<details class=\"cards\"").append(open).append("><summary>");
      html.append(SvgWriter.escape(group.name())).append("</summary>\n");
      open = "";
      for (Card card : group.cards()) {
        html.append("<article>\n");
        HtmlReport.element(html, "h3", card.title());
        HtmlReport.element(html, "p class=\"detail\"", card.facts());
        html.append("<dl>\n");
        card.lines().forEach(this::words);
        html.append("</dl>\n</article>\n");
      }
      html.append("</details>\n");
    }
  }

  private void words(WordLine line) {
    HtmlReport.element(html, "dt", line.label());
    html.append("<dd class=\"").append(line.flow().name().toLowerCase(Locale.ROOT)).append("\">");
    for (Word word : line.words()) {
      boolean plain = word.mark() == 0 && word.focus() == Focus.ELSEWHERE && word.tip().isEmpty();
      if (plain && line.flow() == Flow.TEXT) {
        html.append(SvgWriter.escape(word.text()));
        continue;
      }
      html.append("<mark class=\"").append(word.mark() < 0 ? "less" : "more");
      html.append(word.focus() == Focus.HERE ? " here" : "").append('"');
      html.append(
          String.format(Locale.ROOT, " style=\"--part:%.2f\"", Math.min(1, Math.abs(word.mark()))));
      if (!word.tip().isEmpty()) {
        html.append(" title=\"").append(SvgWriter.escape(word.tip())).append('"');
      }
      html.append('>').append(SvgWriter.escape(word.text())).append("</mark>");
    }
    html.append("</dd>\n");
  }
}
