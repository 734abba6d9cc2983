package dev.resid.architecture.violations;

import dev.resid.backend.Backends;
import dev.resid.tensor.Backend;

/** Breaks a rule on purpose. */
public final class LooksABackendUp {
  Backend backend() {
    return Backends.fastest();
  }
}
