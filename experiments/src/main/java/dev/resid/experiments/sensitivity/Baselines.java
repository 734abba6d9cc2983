package dev.resid.experiments.sensitivity;

import dev.resid.experiments.direction.DirectionKind;
import dev.resid.experiments.direction.SweptDirection;

/** The directions that need no SAE. */
final class Baselines {
  static final SweptDirection ISOTROPIC = new SweptDirection.Baseline(DirectionKind.ISOTROPIC);

  static final SweptDirection COV_RANDOM_DIFFERENCE =
      new SweptDirection.Baseline(DirectionKind.COV_RANDOM_DIFFERENCE);

  static final SweptDirection COV_RANDOM_MIXTURE =
      new SweptDirection.Baseline(DirectionKind.COV_RANDOM_MIXTURE);

  static final SweptDirection REAL_DIFFERENCE =
      new SweptDirection.Baseline(DirectionKind.REAL_DIFFERENCE);

  static final SweptDirection REAL_MIXTURE =
      new SweptDirection.Baseline(DirectionKind.REAL_MIXTURE);

  private Baselines() {}
}
