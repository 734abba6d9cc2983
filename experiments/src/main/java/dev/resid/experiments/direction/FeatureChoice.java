package dev.resid.experiments.direction;

/** Which features of an SAE are candidates for a direction. Active means above 1e-8. */
public enum FeatureChoice {
  /** Active somewhere in the data, but nowhere in the row: the published choice. */
  ALIVE_NOT_ACTIVE(SaeDirectionKind.FEATURE),
  /** Active somewhere in the row. */
  ACTIVE(SaeDirectionKind.ACTIVE_FEATURE),
  /** Active nowhere in the data. */
  DEAD(SaeDirectionKind.DEAD_FEATURE);

  /** Above this a feature counts as active. */
  public static final double ACTIVE_ABOVE = 1e-8;

  private final SaeDirectionKind kind;

  FeatureChoice(SaeDirectionKind kind) {
    this.kind = kind;
  }

  /** Returns the kind of direction it makes. */
  public SaeDirectionKind kind() {
    return kind;
  }
}
