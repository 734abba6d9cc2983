package dev.resid.experiments.report;

import dev.resid.experiments.report.Chart.AxisSpec;
import java.util.List;

/**
 * Parallel coordinates: things as lines over axes that stand side by side, all of the same
 * quantity, each line in the colour of its number on a continuous scale.
 *
 * @param title what is seen, in a few words
 * @param subtitle what is drawn against what
 * @param source where the numbers come from: model, data and run
 * @param x the axes by name, made with {@link AxisSpec#of}
 * @param y the quantity, on the same scale at every axis
 * @param colour what the colours mean, with the unit
 * @param lines at least one
 */
public record ParallelPlot(
    String title,
    String subtitle,
    String source,
    AxisSpec x,
    AxisSpec y,
    String colour,
    List<Thread> lines)
    implements Picture {
  /** Checks that every line has a number for every axis. */
  public ParallelPlot {
    lines = List.copyOf(lines);
    if (lines.isEmpty()) {
      throw new IllegalArgumentException("the figure \"" + title + "\" has no line");
    }
    for (Thread line : lines) {
      if (line.values().size() != x.names().size()) {
        throw new IllegalArgumentException(
            "the line \""
                + line.name()
                + "\" has "
                + line.values().size()
                + " numbers for "
                + x.names().size()
                + " axes");
      }
    }
  }

  /**
   * One line.
   *
   * @param name what it is
   * @param shade the number that is its colour
   * @param values one an axis
   */
  public record Thread(String name, double shade, List<Double> values) {
    /** Copies the list. */
    public Thread {
      values = List.copyOf(values);
    }
  }

  @Override
  public String toSvg() {
    return SvgWriter.write(ParallelLayout.of(this), SvgWriter.Place.FILE);
  }

  @Override
  public byte[] toPng() {
    return PngWriter.write(ParallelLayout.of(this), 2);
  }
}
