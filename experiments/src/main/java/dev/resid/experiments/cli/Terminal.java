package dev.resid.experiments.cli;

import java.io.Console;

/**
 * What the launcher found out about the terminal. Java itself can only tell whether input and
 * output are one both, not whether standard error is, which is where progress goes.
 */
final class Terminal {
  private static final int DEFAULT_COLUMNS = 80;

  private Terminal() {}

  /** Returns whether standard error is a terminal. */
  static boolean onStandardError() {
    String told = System.getProperty("resid.stderr.terminal");
    if (told != null) {
      return Boolean.parseBoolean(told);
    }
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** Returns the width of the terminal in columns. */
  static int columns() {
    int columns = Integer.getInteger("resid.stderr.columns", DEFAULT_COLUMNS);
    return columns < 20 ? DEFAULT_COLUMNS : columns;
  }
}
