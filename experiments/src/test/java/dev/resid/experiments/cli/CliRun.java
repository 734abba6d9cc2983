package dev.resid.experiments.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * What one {@code resid} command line did, run inside the test's own process.
 *
 * @param exitCode its exit code
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error
 */
record CliRun(int exitCode, String out, String err) {
  /** Runs a command line and returns what it did. */
  static CliRun of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = ResidCommand.execute(new PrintWriter(out), new PrintWriter(err), args);
    return new CliRun(code, out.toString(), err.toString());
  }
}
