package dev.resid.experiments.cli;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What {@link LineProgress} writes to standard error, which depends on how busy a machine is. */
final class ProgressLines {
  private static final Pattern LINE =
      Pattern.compile("(?!resid: ).+: \\d+( of \\d+)? .+, [\\d.e+]+/s(, .+)?");

  private ProgressLines() {}

  /** Returns what was written to standard error besides progress, each line with its end. */
  static String without(String err) {
    return err.lines()
        .filter(line -> !LINE.matcher(line).matches())
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }
}
