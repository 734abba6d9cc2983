package dev.resid.experiments.feature;

import dev.resid.experiments.report.Numbers;
import dev.resid.sae.dictionary.FeatureActivations;
import dev.resid.sae.dictionary.FeatureActivations.Example;
import java.util.List;

/** Pieces of text in which tokens are marked by numbers. */
final class ExampleList {
  private static final int BEFORE = 24;
  private static final int AFTER = 8;

  private final FeatureActivations activations;
  private final TokenText text;
  private final double largest;

  ExampleList(FeatureActivations activations, TokenText text) {
    this.activations = activations;
    this.text = text;
    this.largest = Math.max(activations.largest(), Double.MIN_NORMAL);
  }

  /** Returns the examples with some text around each, and their whole rows to unfold. */
  String html(List<Example> examples) {
    StringBuilder html = new StringBuilder("<ol class=\"examples\">\n");
    for (Example example : examples) {
      float[] row = activations.row(example.row());
      int from = Math.max(0, example.pos() - BEFORE);
      int to = Math.min(row.length, example.pos() + AFTER + 1);
      html.append("<li><p class=\"value\">");
      html.append(Numbers.significant(example.activation(), 4));
      html.append("<span class=\"place\">row ").append(example.row()).append(", position ");
      html.append(example.pos()).append("</span></p>\n<div>");
      html.append("<p class=\"text\">").append(from > 0 ? "… " : "");
      tokens(html, example, row, from, to);
      html.append(to < row.length ? " …" : "").append("</p>\n");
      if (from > 0 || to < row.length) {
        html.append("<details><summary>whole row</summary><p class=\"text\">");
        tokens(html, example, row, 0, row.length);
        html.append("</p></details>\n");
      }
      html.append("</div></li>\n");
    }
    return html.append("</ol>\n").toString();
  }

  private void tokens(StringBuilder html, Example example, float[] row, int from, int to) {
    for (int pos = from; pos < to; pos++) {
      String shown = FeaturePage.escape(text.running(activations.tokens().id(example.row(), pos)));
      boolean listed = pos == example.pos();
      if (row[pos] == 0) {
        html.append(shown);
        continue;
      }
      // A space that begins a token stays outside, where a line may break.
      html.append(space(shown));
      html.append(listed ? "<mark class=\"listed\"" : "<mark").append(" style=\"--part:");
      html.append(FeaturePage.part(row[pos] / largest)).append("\" title=\"");
      html.append(Numbers.significant(row[pos], 4)).append("\">");
      html.append(shown.substring(space(shown).length())).append("</mark>");
    }
  }

  private static String space(String shown) {
    return shown.length() > 1 && shown.charAt(0) == ' ' ? " " : "";
  }

  /**
   * Returns the beginning of a row, its tokens marked by what removing them does.
   *
   * @param row of the token set
   * @param scores change of the activation at the last token, [tokens]
   */
  String attribution(int row, double[] scores) {
    StringBuilder html = new StringBuilder("<p class=\"text\">");
    double scale = Double.MIN_NORMAL;
    // Without the last token all of the activation is gone, which would hide what others do.
    for (int pos = 0; pos < scores.length - 1; pos++) {
      scale = Math.max(scale, Math.abs(scores[pos]));
    }
    for (int pos = 0; pos < scores.length; pos++) {
      String shown = FeaturePage.escape(text.running(activations.tokens().id(row, pos)));
      String part = FeaturePage.part(Math.abs(scores[pos]) / scale);
      html.append(space(shown));
      html.append("<mark class=\"").append(scores[pos] < 0 ? "falls" : "rises");
      html.append(pos == scores.length - 1 ? " listed" : "");
      html.append("\" style=\"--part:").append(part).append("\" title=\"");
      html.append(Numbers.significant(scores[pos], 3)).append("\">");
      html.append(shown.substring(space(shown).length())).append("</mark>");
    }
    return html.append("</p>\n").toString();
  }
}
