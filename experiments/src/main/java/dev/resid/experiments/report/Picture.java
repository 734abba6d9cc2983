package dev.resid.experiments.report;

/** What a figure of a report shows. */
public sealed interface Picture permits Chart, HeatMap, JointPlot, ParallelPlot {
  /** Returns what is seen, in a few words. */
  String title();

  /** Returns what is drawn against what. */
  String subtitle();

  /** Returns where the numbers come from: model, data and run. */
  String source();

  /** Returns the figure as an SVG document. */
  String toSvg();

  /** Returns the figure as a PNG file of two pixels a unit, the same picture as {@link #toSvg}. */
  byte[] toPng();
}
