package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Series;
import dev.resid.experiments.report.Chart.Trace;
import java.util.List;

/**
 * Points of several groups, with a histogram of either coordinate along its axis.
 *
 * @param title what is seen, in a few words
 * @param subtitle what is drawn against what
 * @param source where the numbers come from: model, data and run
 * @param counted what the histograms count, as the plural of a word
 * @param panels at least one, side by side
 */
public record JointPlot(
    String title, String subtitle, String source, String counted, List<Axes> panels)
    implements Picture {
  /** Checks that there is a panel. */
  public JointPlot {
    panels = List.copyOf(panels);
    if (panels.isEmpty()) {
      throw new IllegalArgumentException("the figure \"" + title + "\" has no panel");
    }
  }

  /**
   * A system of axes with its points.
   *
   * @param title what distinguishes it from its neighbours
   * @param x the horizontal axis
   * @param y the vertical axis
   * @param groups points in ascending order of x; each group has its own histograms
   */
  public record Axes(String title, AxisSpec x, AxisSpec y, List<Series> groups) {
    /** Checks that nothing but points is given. */
    public Axes {
      groups = List.copyOf(groups);
      for (Series group : groups) {
        if (group.trace() != Trace.MARKS) {
          throw new IllegalArgumentException(
              "the group \"" + group.name() + "\" has lines; give it Trace.MARKS");
        }
      }
    }
  }

  @Override
  public String toSvg() {
    return SvgWriter.write(JointLayout.of(this), SvgWriter.Place.FILE);
  }

  @Override
  public byte[] toPng() {
    return PngWriter.write(JointLayout.of(this), 2);
  }
}
