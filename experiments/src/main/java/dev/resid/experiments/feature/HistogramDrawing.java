package dev.resid.experiments.feature;

import dev.resid.experiments.report.Numbers;
import dev.resid.sae.dictionary.ActivationHistogram;
import java.util.Locale;

/** The histogram of a feature's activations: bars on a logarithmic scale of counts. */
final class HistogramDrawing {
  /** Bars drawn. */
  static final int BINS = 40;

  private static final int WIDTH = 520;
  private static final int HEIGHT = 240;
  private static final int LEFT = 58;
  private static final int RIGHT = 8;
  private static final int TOP = 12;
  private static final int BOTTOM = 46;

  private HistogramDrawing() {}

  /** Returns the figure as HTML, with the same numbers as a table to unfold. */
  static String of(ActivationHistogram histogram) {
    StringBuilder html = new StringBuilder("<figure class=\"histogram\">\n");
    long most = 1;
    for (long count : histogram.counts()) {
      most = Math.max(most, count);
    }
    String summary =
        "Tokens by activation, counts on a logarithmic scale; "
            + Numbers.grouped(histogram.inactive())
            + " tokens on which the feature is not active are not shown.";
    if (histogram.largest() > 0) {
      draw(html, histogram, most, summary);
    }
    html.append("<figcaption>").append(summary).append("</figcaption>\n");
    if (histogram.largest() > 0) {
      table(html, histogram);
    }
    return html.append("</figure>\n").toString();
  }

  private static void draw(
      StringBuilder html, ActivationHistogram histogram, long most, String summary) {
    int bins = histogram.counts().length;
    double plotWidth = WIDTH - LEFT - RIGHT;
    double plotHeight = HEIGHT - TOP - BOTTOM;
    // A count of 1 is to be seen: the scale begins below it.
    double bottom = Math.log10(0.6);
    double height = Math.log10(Math.max(most, 2)) - bottom;
    html.append("<svg viewBox=\"0 0 ").append(WIDTH).append(' ').append(HEIGHT);
    html.append("\" role=\"img\" aria-label=\"").append(summary).append("\">\n");
    for (long tick = 1; tick <= Math.max(most, 2); tick *= 10) {
      double y = TOP + plotHeight * (1 - (Math.log10(tick) - bottom) / height);
      html.append("<path class=\"grid\" d=\"M").append(LEFT).append(' ').append(number(y));
      html.append('h').append(number(plotWidth)).append("\"/><text class=\"tick\" x=\"");
      html.append(LEFT - 6).append("\" y=\"").append(number(y + 4));
      html.append("\" text-anchor=\"end\">").append(Numbers.grouped(tick)).append("</text>\n");
    }
    for (int b = 0; b < bins; b++) {
      long count = histogram.counts()[b];
      if (count == 0) {
        continue;
      }
      double barHeight = plotHeight * (Math.log10(count) - bottom) / height;
      html.append("<rect class=\"bar\" x=\"").append(number(LEFT + plotWidth * b / bins + 0.5));
      html.append("\" y=\"").append(number(TOP + plotHeight - barHeight)).append("\" width=\"");
      html.append(number(plotWidth / bins - 1)).append("\" height=\"").append(number(barHeight));
      html.append("\"><title>").append(Numbers.significant(histogram.edge(b), 3)).append(" to ");
      html.append(Numbers.significant(histogram.edge(b + 1), 3)).append(": ");
      html.append(Numbers.grouped(count)).append(" tokens</title></rect>\n");
    }
    html.append("<path class=\"axis\" d=\"M").append(LEFT).append(' ');
    html.append(number(TOP + plotHeight)).append('h').append(number(plotWidth)).append("\"/>\n");
    double step = step(histogram.largest());
    for (int t = 0; t * step <= histogram.largest() * (1 + 1e-9); t++) {
      double x = LEFT + plotWidth * t * step / histogram.largest();
      html.append("<text class=\"tick\" x=\"").append(number(x));
      html.append("\" y=\"").append(number(TOP + plotHeight + 16)).append("\" text-anchor=\"");
      html.append(x > WIDTH - 3 * RIGHT ? "end" : "middle").append("\">");
      html.append(Numbers.brief(t * step)).append("</text>\n");
    }
    html.append("<text class=\"label\" x=\"")
        .append(number(LEFT + plotWidth / 2))
        .append("\" y=\"");
    html.append(HEIGHT - 8).append("\" text-anchor=\"middle\">activation (model units)</text>\n");
    html.append("<text class=\"label\" transform=\"translate(14 ");
    html.append(number(TOP + plotHeight / 2));
    html.append(") rotate(-90)\" text-anchor=\"middle\">tokens</text>\n</svg>\n");
  }

  /** Returns a round distance of about five ticks. */
  private static double step(double largest) {
    double power = Math.pow(10, Math.floor(Math.log10(largest / 5)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= largest / 5) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static void table(StringBuilder html, ActivationHistogram histogram) {
    html.append("<details><summary>as a table</summary>\n<table><thead><tr>");
    html.append("<th scope=\"col\">above</th><th scope=\"col\">up to</th>");
    html.append("<th scope=\"col\">tokens</th></tr></thead><tbody>\n");
    for (int b = 0; b < histogram.counts().length; b++) {
      html.append("<tr><td class=\"number\">").append(Numbers.significant(histogram.edge(b), 3));
      html.append("</td><td class=\"number\">");
      html.append(Numbers.significant(histogram.edge(b + 1), 3));
      html.append("</td><td class=\"number\">").append(Numbers.grouped(histogram.counts()[b]));
      html.append("</td></tr>\n");
    }
    html.append("</tbody></table>\n</details>\n");
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
