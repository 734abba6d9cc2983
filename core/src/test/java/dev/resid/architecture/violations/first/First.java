package dev.resid.architecture.violations.first;

import dev.resid.architecture.violations.second.Second;

/** Breaks a rule on purpose. */
public final class First {
  Second second;
}
