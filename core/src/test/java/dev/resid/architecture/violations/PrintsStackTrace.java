package dev.resid.architecture.violations;

/** Breaks a rule on purpose. */
public final class PrintsStackTrace {
  void print(RuntimeException e) {
    e.printStackTrace();
  }
}
