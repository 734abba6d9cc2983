package dev.resid.architecture.violations;

import dev.resid.tensor.Backend;

/** Breaks a rule on purpose. */
public final class BackendInAStatic {
  static final Backend NONE = null;
}
