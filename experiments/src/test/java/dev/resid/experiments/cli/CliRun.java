package dev.resid.experiments.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What one {@code resid} command line did, run inside the test's own process.
 *
 * @param exitCode its exit code
 * @param out what it wrote to standard output
 * @param err what it wrote to standard error, without progress
 */
record CliRun(int exitCode, String out, String err) {
  /** Runs a command line and returns what it did. */
  static CliRun of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = ResidCommand.execute(new PrintWriter(out), new PrintWriter(err), args);
    return new CliRun(code, out.toString(), ProgressLines.without(err.toString()));
  }

  /** Runs a command line of words and, after them, more arguments; paths may be given as such. */
  static CliRun line(String words, Object... more) {
    return of(
        Stream.concat(Arrays.stream(words.split(" ")), Arrays.stream(more).map(String::valueOf))
            .toArray(String[]::new));
  }

  /** Requires that it did what was asked and had nothing to complain about. */
  CliRun ok() {
    require(exitCode == ResidCommand.OK && err.isEmpty(), "success and an empty standard error");
    return this;
  }

  /** Requires success, and one sentence on standard error that holds the parts. */
  CliRun noted(String... parts) {
    require(exitCode == ResidCommand.OK, "success");
    require(err.lines().count() == 1 && err.startsWith("resid: "), "one sentence");
    for (String part : parts) {
      require(err.contains(part), "a sentence with \"" + part + "\"");
    }
    return this;
  }

  /** Requires exit code 1, one sentence on standard error that has all parts, and no output. */
  CliRun refused(String... parts) {
    require(exitCode == ResidCommand.FAILED, "exit code " + ResidCommand.FAILED);
    require(err.lines().count() == 1, "one line on standard error");
    requireSentence(parts);
    return this;
  }

  /** Requires exit code 2, one sentence that has all parts, and the way to the help text. */
  CliRun wrongUsage(String... parts) {
    require(exitCode == ResidCommand.WRONG_USAGE, "exit code " + ResidCommand.WRONG_USAGE);
    List<String> lines = err.lines().toList();
    require(
        lines.size() == 2 && lines.get(1).matches("Try 'resid .*--help'\\."),
        "a sentence and where help is");
    requireSentence(parts);
    return this;
  }

  private void requireSentence(String... parts) {
    String line = err.lines().findFirst().orElse("");
    require(line.startsWith("resid: ") && line.length() > 20, "a sentence after 'resid: '");
    require(
        err.lines().filter(each -> each.startsWith("resid: ")).count() == 1, "only one sentence");
    require(
        Stream.of("Exception", "internal error", "\tat ").noneMatch(err::contains),
        "no talk of exceptions");
    require(out.isEmpty(), "nothing on standard output");
    for (String part : parts) {
      require(line.contains(part), "a sentence with \"" + part + "\"");
    }
  }

  private void require(boolean holds, String expected) {
    if (!holds) {
      throw new AssertionError("expected " + expected + ", found " + this);
    }
  }
}
