package dev.resid.architecture.violations;

import java.util.logging.Logger;

/** Breaks a rule on purpose. */
public final class UsesJavaLogging {
  Logger logger() {
    return Logger.getGlobal();
  }
}
