package dev.resid.architecture.violations.tensor;

import dev.resid.progress.Progress;

/** Breaks a rule on purpose. */
public final class KnowsProgress {
  Progress progress;
}
