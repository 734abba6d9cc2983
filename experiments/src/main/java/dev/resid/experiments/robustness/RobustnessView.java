package dev.resid.experiments.robustness;

import dev.resid.experiments.report.Chart.AxisKind;
import dev.resid.experiments.report.Chart.AxisSpec;
import dev.resid.experiments.report.Chart.Value;
import dev.resid.experiments.report.Section.Choice;
import dev.resid.experiments.robustness.RobustnessLayout.Positions;
import dev.resid.experiments.robustness.RobustnessLayout.Readout;
import dev.resid.experiments.study.Estimates.Estimate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a figure averages.
 *
 * @param readout KL or the change of the cross-entropy
 * @param positions with or without position 0
 */
record RobustnessView(Readout readout, Positions positions) {

  /** Returns it in file names. */
  String key() {
    return (readout.name() + "-" + positions.name()).toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Returns the vertical axis. */
  AxisSpec axis() {
    return readout == Readout.KL
        ? new AxisSpec("mean KL (nats)", "KL", AxisKind.LOG)
        : new AxisSpec("mean ΔCE (nats)", "ΔCE", AxisKind.SIGNED);
  }

  /** Returns what is averaged, in words. */
  String words() {
    return (readout == Readout.KL ? "Mean KL(original‖changed)" : "Mean change of cross-entropy")
        + (positions == Positions.ALL ? ", positions 0 to n−2" : ", positions 1 to n−2");
  }

  /** Returns the options it is. */
  Map<String, String> chosen() {
    return Map.of(
        "readout",
        readout.name().toLowerCase(Locale.ROOT),
        "positions",
        positions.name().toLowerCase(Locale.ROOT));
  }

  /** Returns every combination. */
  static List<RobustnessView> all() {
    List<RobustnessView> views = new ArrayList<>();
    for (Readout readout : Readout.values()) {
      for (Positions positions : Positions.values()) {
        views.add(new RobustnessView(readout, positions));
      }
    }
    return views;
  }

  /** Returns what the reader chooses between. */
  static List<Choice> choices() {
    Map<String, String> readouts = new LinkedHashMap<>();
    readouts.put("kl", "KL");
    readouts.put("delta_ce", "ΔCE");
    Map<String, String> positions = new LinkedHashMap<>();
    positions.put("all", "all");
    positions.put("without_first", "without position 0");
    return List.of(
        new Choice("readout", "Read-out", readouts),
        new Choice("positions", "Average over positions", positions));
  }

  /** Returns a point of a curve. */
  static Value value(double x, Estimate y) {
    return new Value(x, y.value(), y.interval().low(), y.interval().high());
  }
}
