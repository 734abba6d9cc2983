package dev.resid.experiments.report;

import static dev.resid.experiments.report.SmallCharts.chart;
import static dev.resid.experiments.report.SmallCharts.one;
import static dev.resid.experiments.report.SmallCharts.parse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Drawing.Weight;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Charts and heat maps as pictures. */
class ChartTest {
  @Test
  void svgIsWellFormedAndHasEveryPoint() throws Exception {
    Document svg = parse(chart(AxisKind.LINEAR).toSvg());
    assertEquals("svg", svg.getDocumentElement().getLocalName());
    // One title of the picture, one a point in each of two panels.
    assertEquals(1 + 2 * 3, svg.getElementsByTagName("title").getLength());
    assertTrue(chart(AxisKind.LINEAR).toSvg().contains("<title>10: 2.00 (1.90 to 2.20)</title>"));
    assertTrue(chart(AxisKind.LINEAR).toSvg().contains("A &lt; B &amp; &quot;C&quot;"));
  }

  @Test
  void heightsAreProportionalToValues() throws Exception {
    // Values 1, 2, 4 on a linear axis: the second step is twice the first.
    double[] y = pointHeights(chart(AxisKind.LINEAR));
    assertEquals(2, (y[1] - y[2]) / (y[0] - y[1]), 0.01); // coordinates have one decimal
    double[] log = pointHeights(chart(AxisKind.LOG));
    assertEquals(1, (log[1] - log[2]) / (log[0] - log[1]), 0.01);
  }

  @Test
  void aLogarithmicAxisLeavesOutWhatIsNotPositive() {
    Series series =
        new Series(
            "a", "a", Style.BLUE_SOLID, List.of(new Value(1, 0, -1, 1), new Value(2, 3, -1, 4)));
    String svg = one(AxisKind.LOG, series).toSvg();
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
    assertEquals(1 + 2, svg.split("<title>[0-9]", -1).length, "a point in each of two panels");
  }

  @Test
  void panelsCanHaveVerticalAxesOfTheirOwn() throws Exception {
    Series small = new Series("a", "", Style.BLUE_SOLID, List.of(Value.at(0, 0), Value.at(1, 2)));
    Series large =
        new Series("b", "", Style.BLUE_SOLID, List.of(Value.at(0, 0), Value.at(1, 2000)));
    AxisSpec metres = new AxisSpec("height (m)", "m", AxisKind.LINEAR);
    AxisSpec grams = new AxisSpec("weight (g)", "g", AxisKind.LINEAR);
    Chart chart =
        new Chart(
            "t",
            "s",
            "source",
            new AxisSpec("x", "x", AxisKind.LINEAR),
            metres,
            List.of(
                new Panel("one", List.of(small), Optional.empty()),
                new Panel("two", List.of(large), Optional.empty(), Optional.of(grams))));
    double[] y = allHeights(chart);
    assertEquals(y[1], y[3], 0.11, "both last points are at the top of their axis");
    assertTrue(chart.toSvg().contains("height (m)") && chart.toSvg().contains("weight (g)"));
    Chart common =
        new Chart(
            "t",
            "s",
            "source",
            chart.x(),
            metres,
            List.of(
                new Panel("one", List.of(small), Optional.empty()),
                new Panel("two", List.of(large), Optional.empty())));
    assertTrue(allHeights(common)[1] > allHeights(common)[3] + 100, "one axis for both");
  }

  /** The area begins further right, so that the axis's name has its place beside them. */
  @Test
  void longNumbersAtAnAxisGetMoreRoom() throws Exception {
    assertEquals(areaBegins(3, 4), areaBegins(0.3, 0.4), 1e-9, "short ones have room");
    double more = areaBegins(0.000998, 0.001) - areaBegins(3, 4);
    assertTrue(more > 15 && more < 60, "further by " + more);
  }

  private static double areaBegins(double low, double high) {
    Series series =
        new Series("a", "", Style.BLUE_SOLID, List.of(Value.at(0, low), Value.at(1, high)));
    AxisSpec axis = new AxisSpec("x", "x", AxisKind.LINEAR);
    // Numbers about equal on a logarithmic axis are where it begins and ends.
    AxisSpec y = new AxisSpec("normalised MSE", "", AxisKind.LOG);
    Chart chart =
        new Chart(
            "t",
            "s",
            "source",
            axis,
            y,
            List.of(new Panel("p", List.of(series), Optional.empty())));
    Matcher grid =
        Pattern.compile("</text>\\s*<path d=\"M([0-9.]+) [0-9.]+L9").matcher(chart.toSvg());
    assertTrue(grid.find(), chart.toSvg());
    return Double.parseDouble(grid.group(1));
  }

  @Test
  void barsAreAsHighAsTheirValuesAndEndAtTheLastPoint() throws Exception {
    List<Value> heights = List.of(Value.at(2, 4), Value.at(4, 1), Value.at(6, 0));
    Chart chart =
        one(AxisKind.LINEAR, new Series("a", "", Style.BLUE_SOLID, Chart.Trace.BARS, heights));
    String svg = chart.toSvg();
    assertTrue(svg.contains("<title>2 to 4: 4.00</title>"), "no interval, no brackets: " + svg);
    assertFalse(svg.contains("<title>6"), "the last point only ends the bar before it");
    double[] y = allHeights(chart);
    // Two panels with two bars each, the second a quarter as high above the axis as the first.
    assertEquals(4, y.length);
    Chart steps =
        one(AxisKind.LINEAR, new Series("a", "", Style.BLUE_SOLID, Chart.Trace.STEPS, heights));
    double zero = allHeights(steps)[2];
    assertEquals(4, (zero - y[0]) / (zero - y[1]), 0.02);
  }

  @Test
  void aLineAloneHasNothingToPointAt() {
    List<Value> points = List.of(Value.at(1, 1), Value.at(2, 2));
    String line =
        one(AxisKind.LINEAR, new Series("a", "", Style.BLUE_SOLID, Chart.Trace.LINE, points))
            .toSvg();
    assertTrue(line.contains("stroke-width=\"2.2\""), line);
    assertFalse(line.contains("<circle") || line.contains("<title>1: "), line);
  }

  @Test
  void marksHaveNoLine() {
    List<Value> points = List.of(Value.at(1, 1), Value.at(2, 2));
    String marks =
        one(AxisKind.LINEAR, new Series("a", "", Style.BLUE_SOLID, Chart.Trace.MARKS, points))
            .toSvg();
    String curve =
        one(AxisKind.LINEAR, new Series("a", "", Style.BLUE_SOLID, Chart.Trace.CURVE, points))
            .toSvg();
    String thick = "stroke-width=\"2.2\"";
    assertFalse(marks.contains(thick), marks);
    assertTrue(curve.contains(thick), curve);
  }

  @Test
  void intervalsOfMarksAreBarsAndNotBands() {
    List<Value> points = List.of(new Value(1, 1, 0.5, 1.5), new Value(2, 2, 1.5, 2.5));
    Series marks = new Series("a", "", Style.BLUE_SOLID, Chart.Trace.MARKS, points);
    String svg = one(AxisKind.LINEAR, marks).toSvg();
    assertFalse(svg.contains("fill-opacity"), svg);
    assertEquals(1 + 2 * 2, svg.split("stroke=\"#0072b2\" stroke-width=\"1.3\" s", -1).length, svg);
  }

  @Test
  void pngIsTheSamePictureEveryTime() throws IOException {
    byte[] png = chart(AxisKind.LINEAR).toPng();
    assertArrayEquals(png, chart(AxisKind.LINEAR).toPng());
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertEquals(2000, image.getWidth());
    int coloured = 0;
    for (int x = 0; x < image.getWidth(); x++) {
      for (int y = 0; y < image.getHeight(); y++) {
        int rgb = image.getRGB(x, y);
        coloured += (rgb & 255) > (rgb >> 16 & 255) + 100 ? 1 : 0;
      }
    }
    assertTrue(coloured > 2000, "blue pixels of the curve: " + coloured);
  }

  @Test
  void everyCharacterOfAFigureHasAGlyph() {
    String used =
        "KL(original‖perturbed), α·10⁻³ × 95 % − n–2 ≤ [0/1] \"q\" 'r' +=:;.? Σ μ σ → Δ ² ₂ é _ #"
            + " \u202f";
    for (char character : used.toCharArray()) {
      assertTrue(StrokeFont.get().has(character), "no glyph for " + character);
    }
    for (char character = ' '; character < 127; character++) {
      assertTrue(
          StrokeFont.get().has(character)
              || character == '$'
              || character == '^'
              || character == '`',
          "no glyph for " + character);
    }
    double regular = StrokeFont.get().width("mixture", 14, Weight.REGULAR);
    assertTrue(StrokeFont.get().width("mixture", 14, Weight.BOLD) > regular);
    assertEquals(2 * regular, StrokeFont.get().width("mixture", 28, Weight.REGULAR), 1e-9);
  }

  @Test
  void ticksAreRoundAndInside() {
    Scale scale = Scale.holding(AxisKind.LINEAR, List.of(0.3, 1.73));
    assertEquals(
        List.of("0.0", "0.5", "1.0", "1.5", "2.0"),
        scale.ticks().stream().map(Scale.Tick::label).toList());
    Scale log = Scale.holding(AxisKind.LOG, List.of(3e-7, 0.5, 0.0));
    assertEquals(
        List.of("10⁻⁶", "10⁻⁴", "0.01"), log.ticks().stream().map(Scale.Tick::label).toList());
    assertEquals(
        List.of("0", "0.25", "0.50", "0.75", "1.00", "1.25", "1.50"),
        Scale.holding(AxisKind.LINEAR, List.of(1.5)).ticks().stream()
            .map(tick -> tick.value() == 0 ? "0" : tick.label())
            .toList());
  }

  @Test
  void aLogarithmicAxisOfNearlyEqualNumbersIsFilledByThem() {
    Scale scale = Scale.holding(AxisKind.LOG, List.of(1.0, 1.04, 1.09));
    assertEquals(
        List.of("1.00", "1.02", "1.04", "1.06", "1.08", "1.10"),
        scale.ticks().stream().map(Scale.Tick::label).toList());
    assertTrue(scale.part(1.0) < 0.15 && scale.part(1.09) > 0.85, scale.toString());
    assertEquals(1.04, scale.at(scale.part(1.04)), 1e-12);
    Scale one = Scale.holding(AxisKind.LOG, List.of(3.0));
    assertEquals(0.5, one.part(3), 1e-9);
    assertFalse(one.ticks().isEmpty());
  }

  private static List<String> labels(AxisSpec axis, Double... values) {
    return Scale.holding(axis, List.of(values)).ticks().stream().map(Scale.Tick::label).toList();
  }

  @Test
  void axesThatCountHaveNoFractions() {
    AxisSpec layers = new AxisSpec("layer", "layer", AxisKind.LINEAR).whole();
    assertEquals(List.of("0", "1", "2", "3"), labels(layers, 1.0, 3.0));
    assertEquals(List.of("0", "1"), labels(layers, 0.0, 1.0));
    assertEquals(13, labels(layers, 12.0).size(), "every layer of a model of 13");
    assertEquals(List.of("0", "5", "10", "15"), labels(layers, 15.0));
    AxisSpec score = new AxisSpec("score", "score", AxisKind.SIGNED).whole();
    assertEquals(List.of("−2", "−1", "0", "1"), labels(score, -2.0, 1.0));
    AxisSpec counts = new AxisSpec("features", "features", AxisKind.LOG).whole();
    assertEquals(List.of("1", "2", "5", "10"), labels(counts, 0.5, 12.0));
    assertEquals(List.of("4", "5"), labels(counts, 3.6, 5.2));
  }

  @Test
  void axesOfThingsHaveTheirNames() throws Exception {
    List<String> names = List.of("one", "two", "a name too long to stand across");
    Series series = new Series("a", "", Style.BLUE_SOLID, List.of(Value.at(1, 1), Value.at(3, 2)));
    Chart chart =
        new Chart(
            "t",
            "s",
            "source",
            AxisSpec.of("SAE", "SAE", names),
            new AxisSpec("KL", "KL", AxisKind.LINEAR),
            List.of(new Panel("", List.of(series), Optional.empty())));
    NodeList texts = parse(chart.toSvg()).getElementsByTagName("text");
    Map<String, String> turned = new java.util.HashMap<>();
    for (int i = 0; i < texts.getLength(); i++) {
      Element text = (Element) texts.item(i);
      turned.put(text.getTextContent(), text.getAttribute("transform"));
    }
    assertTrue(turned.keySet().containsAll(List.of("one", "two")), turned.toString());
    assertEquals("", turned.get("one"), "there is room for it");
    List<String> many = java.util.stream.IntStream.range(0, 40).mapToObj(i -> "sae " + i).toList();
    AxisSpec narrow = AxisSpec.of("SAE", "SAE", many);
    assertEquals(0, Frame.nameRoom(chart.x(), 1000), 0);
    assertTrue(Frame.nameRoom(narrow, 500) > 10, "they stand upright");
  }

  @Test
  void whatHasNoPointIsNotInTheLegend() {
    Series some = new Series("some", "", Style.BLUE_SOLID, List.of(Value.at(1, 1)));
    Series none = new Series("none", "", Style.GREEN_SOLID, List.of());
    Series below = new Series("below", "", Style.GREEN_SOLID, List.of(Value.at(1, -1)));
    Chart chart =
        new Chart(
            "t",
            "s",
            "source",
            new AxisSpec("x", "x", AxisKind.LINEAR),
            new AxisSpec("y", "y", AxisKind.LOG),
            List.of(new Panel("", List.of(some, none, below), Optional.empty())));
    String svg = chart.toSvg();
    assertTrue(svg.contains("\"legend some\""), svg);
    assertFalse(svg.contains("\"legend none\"") || svg.contains("\"legend below\""), svg);
  }

  @Test
  void linesHaveTheColourOfTheirNumber() throws IOException {
    ParallelPlot plot =
        new ParallelPlot(
            "t",
            "s",
            "source",
            AxisSpec.of("SAE", "SAE", List.of("a", "b")),
            new AxisSpec("y", "y", AxisKind.SIGNED),
            "first y",
            List.of(
                new ParallelPlot.Thread("high", 2, List.of(2.0, 1.0)),
                new ParallelPlot.Thread("low", -1, List.of(-1.0, 0.5)),
                new ParallelPlot.Thread("middle", 0.5, List.of(0.5, 0.0))));
    String svg = plot.toSvg();
    // The lowest is painted first, so that order in depth is order in colour.
    int low = svg.indexOf("data-name=\"low\"");
    assertTrue(low < svg.indexOf("data-name=\"middle\""));
    assertTrue(svg.indexOf("stroke=\"" + Ink.RAMP_1.hex(), low) == svg.indexOf("stroke=", low));
    int high = svg.indexOf("data-name=\"high\"");
    assertTrue(svg.indexOf("stroke=\"" + Ink.RAMP_8.hex(), high) == svg.indexOf("stroke=", high));
    String middle = Colour.Between.ramp(0.5).hex();
    assertTrue(svg.contains("stroke=\"" + middle + "\""), middle);
    assertFalse(middle.equals(Ink.RAMP_4.hex()) || middle.equals(Ink.RAMP_5.hex()), "between");
    assertTrue(svg.contains("<title>low, b: 0.500</title>"), svg);
    assertEquals(2000, ImageIO.read(new ByteArrayInputStream(plot.toPng())).getWidth());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new ParallelPlot(
                "t",
                "s",
                "source",
                plot.x(),
                plot.y(),
                "c",
                List.of(new ParallelPlot.Thread("short", 1, List.of(1.0)))));
  }

  @Test
  void cellsSayTheirNumbersWhereTheyFit() {
    List<List<Double>> values = List.of(List.of(1.0, -0.5, 0.001, Double.NaN));
    HeatMap few = map(List.of("a", "b", "c", "d"), values);
    String svg = few.toSvg();
    assertTrue(svg.contains(">1.00</text>") && svg.contains(">−0.50</text>"), svg);
    assertTrue(svg.contains(">0</text>"), "what is nearly nothing is 0");
    assertFalse(svg.contains("NaN"), svg);
    List<String> names = java.util.stream.IntStream.range(0, 60).mapToObj(i -> "" + i).toList();
    HeatMap many = map(names, List.of(java.util.Collections.nCopies(60, 0.25)));
    assertTrue(svg.contains("data-name=\"numbers ") && !many.toSvg().contains("numbers "), "room");
  }

  private static HeatMap map(List<String> columns, List<List<Double>> values) {
    return new HeatMap(
        "t",
        "s",
        "source",
        "value",
        List.of(new HeatMap.Cells("", "row", List.of("r"), "column", columns, values)));
  }

  /** Returns the heights of all circles that are data points. */
  private static double[] allHeights(Chart chart) throws Exception {
    NodeList circles = parse(chart.toSvg()).getElementsByTagName("circle");
    return java.util.stream.IntStream.range(0, circles.getLength())
        .mapToObj(i -> (Element) circles.item(i))
        .filter(circle -> circle.getFirstChild() != null)
        .mapToDouble(circle -> Double.parseDouble(circle.getAttribute("cy")))
        .toArray();
  }

  private static double[] pointHeights(Chart chart) throws Exception {
    NodeList circles = parse(chart.toSvg()).getElementsByTagName("circle");
    double[] heights = new double[3];
    int n = 0;
    for (int i = 0; i < circles.getLength(); i++) {
      Element circle = (Element) circles.item(i);
      if (circle.getFirstChild() != null && n < 3) {
        heights[n] = Double.parseDouble(circle.getAttribute("cy"));
        n++;
      }
    }
    assertEquals(3, n);
    return heights;
  }
}
