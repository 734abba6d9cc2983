package dev.resid.experiments.report;

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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A page with every kind of section, figure and trace. */
final class SamplePage {
  private SamplePage() {}

  /** Returns a page with every kind of section, figure and trace. */
  static String html() {
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
