package dev.resid.architecture.violations;

/** Breaks a rule on purpose. */
public final class BooleanParameter {
  /** Breaks a rule on purpose. */
  public void sort(boolean descending) {}
}
