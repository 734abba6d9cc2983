package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Guide;
import dev.resid.experiments.report.Chart.Panel;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Style;
import dev.resid.experiments.report.Chart.Value;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

/** Charts for tests, and how they are read. */
final class SmallCharts {
  private SmallCharts() {}

  /** Returns a chart of three points with intervals, whose words have to be escaped. */
  static Chart chart(AxisKind kind) {
    Series series =
        new Series(
            "A < B & \"C\"",
            "end",
            Style.BLUE_SOLID,
            List.of(new Value(1, 1, 0.9, 1.1), new Value(10, 2, 1.9, 2.2), new Value(30, 4, 3, 5)));
    return one(kind, series);
  }

  /** Returns a chart that shows a series twice, with a guide. */
  static Chart one(AxisKind kind, Series series) {
    Panel panel = new Panel("panel", List.of(series), Optional.of(new Guide(20, "guide")));
    return new Chart(
        "title",
        "subtitle",
        "source",
        new AxisSpec("length", "x", kind),
        new AxisSpec("KL (nats)", "KL", kind),
        List.of(panel, panel));
  }

  /** Returns the document of a text that has to be well formed. */
  static Document parse(String xml) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    return factory
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }
}
