package dev.resid.architecture.violations.second;

import dev.resid.architecture.violations.first.First;

/** Breaks a rule on purpose. */
public final class Second {
  First first;
}
