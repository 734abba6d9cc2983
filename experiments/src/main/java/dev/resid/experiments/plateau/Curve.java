package dev.resid.experiments.plateau;

import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import java.util.ArrayList;
import java.util.List;

/**
 * One way through activation space that is walked for every prompt.
 *
 * @param role whether the kind is where the way leads or where it begins
 * @param kind of the generated end
 * @param regime how its points are spaced
 */
record Curve(Role role, TargetKind kind, Regime regime) {
  /** Which end of a way is generated. */
  enum Role {
    /** From the prompt's own activation to a generated one. */
    TARGET,
    /** From a generated activation to a random one. */
    BASE
  }

  /** Returns whether the prediction is read along it. */
  boolean hasPrediction() {
    return role == Role.TARGET;
  }

  /** Returns all ways of a run, in the order in which their numbers are written down. */
  static List<Curve> all(List<TargetKind> targets, List<Regime> regimes, List<TargetKind> bases) {
    List<Curve> curves = new ArrayList<>();
    for (Regime regime : regimes) {
      for (TargetKind kind : targets) {
        curves.add(new Curve(Role.TARGET, kind, regime));
      }
    }
    for (TargetKind kind : bases) {
      curves.add(new Curve(Role.BASE, kind, Regime.ABSOLUTE));
    }
    return curves;
  }

  /** Returns the ways of a run from what its record says. */
  static List<Curve> of(RunRecord record) {
    Settings settings = record.settings();
    return all(
        settings.list("targets").stream().map(TargetKind::of).toList(),
        settings.list("regimes").stream().map(Regime::of).toList(),
        settings.list("bases").stream().map(TargetKind::of).toList());
  }
}
