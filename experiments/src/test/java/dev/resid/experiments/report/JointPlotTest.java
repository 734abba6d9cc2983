package dev.resid.experiments.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Trace;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.JointPlot.Axes;
import dev.resid.experiments.report.Section.Figure;
import dev.resid.experiments.report.Section.Figures;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class JointPlotTest {
  private static final Pattern COUNTS = Pattern.compile("<title>(E|dCE) [^:]*: ([^<]*)</title>");

  private static JointPlot plot(AxisKind kind) {
    // On a logarithmic axis from 1 to 10,000 the two lowest points lie in different bins.
    Series many =
        new Series(
            "many",
            "",
            Style.BLUE_SOLID,
            Trace.MARKS,
            List.of(Value.at(1, 0), Value.at(100, 5), Value.at(100.1, 5.01), Value.at(10_000, -2)));
    Series few =
        new Series("few", "", Style.VERMILION_SOLID, Trace.MARKS, List.of(Value.at(100, 5.02)));
    Axes axes =
        new Axes(
            "panel",
            new AxisSpec("error", "E", kind),
            new AxisSpec("increase (nats)", "dCE", AxisKind.SIGNED),
            List.of(many, few));
    return new JointPlot("title", "subtitle", "source", "prompts", List.of(axes, axes));
  }

  @Test
  void histogramsCountEveryPointOnce() {
    Matcher matcher = COUNTS.matcher(plot(AxisKind.LOG).toSvg());
    int above = 0;
    int beside = 0;
    boolean both = false;
    while (matcher.find()) {
      for (String group : matcher.group(2).split(", ")) {
        int count = Integer.parseInt(group.split(" ")[1]);
        above += matcher.group(1).equals("E") ? count : 0;
        beside += matcher.group(1).equals("dCE") ? count : 0;
      }
      both |= matcher.group(2).equals("many 2, few 1");
    }
    assertEquals(2 * 5, above, "both panels, all five points");
    assertEquals(2 * 5, beside, "both panels, all five points");
    assertTrue(both, "three points in one bin");
  }

  @Test
  void binsAreOfEqualWidthOnTheAxisThatIsDrawn() {
    // Bins of a linear axis from 0 to 10,000 are wider than 100: the three points share the first.
    assertTrue(plot(AxisKind.LINEAR).toSvg().contains(": many 3, few 1</title>"));
    assertFalse(plot(AxisKind.LOG).toSvg().contains(": many 3, few 1</title>"));
  }

  @Test
  void whatALogarithmicAxisCannotShowIsNotCounted() {
    Series zero =
        new Series(
            "zero",
            "",
            Style.BLUE_SOLID,
            Trace.MARKS,
            List.of(Value.at(0, 1), Value.at(1, 1), Value.at(2, 1)));
    AxisSpec y = new AxisSpec("y", "y", AxisKind.LINEAR);
    String svg =
        new JointPlot(
                "t",
                "s",
                "source",
                "prompts",
                List.of(new Axes("", new AxisSpec("E", "E", AxisKind.LOG), y, List.of(zero))))
            .toSvg();
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
    assertTrue(svg.contains(": zero 2</title>"), "two of three points have a height: " + svg);
    assertFalse(svg.contains(": zero 3</title>"), svg);
  }

  @Test
  void pngHoldsTheHistograms() throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(plot(AxisKind.LOG).toPng()));
    assertEquals(2000, image.getWidth());
    int blueAbove = 0;
    for (int x = 160; x < 800; x++) {
      for (int y = 230; y < 340; y++) {
        int rgb = image.getRGB(x, y);
        blueAbove += (rgb & 255) > (rgb >> 16 & 255) + 20 ? 1 : 0;
      }
    }
    assertTrue(blueAbove > 500, "blue pixels above the axes: " + blueAbove);
  }

  @Test
  void thePageHasALegendAndValuesForPointing() {
    String html =
        HtmlReport.of(
            "t",
            "",
            Map.of(),
            List.of(
                new Figures(
                    "f", "", List.of(), List.of(new Figure(Map.of(), "one", plot(AxisKind.LOG))))));
    assertEquals(1 + 1, html.split("data-series=\"few\"", -1).length, "once in the legend");
    assertTrue(html.contains("data-x=\"E\" data-y=\"dCE\""), html);
    assertTrue(html.contains("data-tip=\"100|5.02\""), html);
    assertTrue(html.contains("figures/one.png"), html);
  }

  @Test
  void groupsWithLinesAreRefused() {
    Series line = new Series("line", "", Style.BLUE_SOLID, List.of(Value.at(1, 1)));
    AxisSpec axis = new AxisSpec("x", "x", AxisKind.LINEAR);
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> new Axes("", axis, axis, List.of(line)));
    assertTrue(error.getMessage().contains("Trace.MARKS"), error.getMessage());
  }
}
