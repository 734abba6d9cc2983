package dev.resid.experiments.reproduce;

import dev.resid.experiments.report.Section.Verdict;
import java.nio.file.Path;
import java.util.List;

/**
 * What a complete run left behind.
 *
 * @param folder its folder
 * @param report its page
 * @param checks every number that could be checked
 * @param missing what could not, and which files that needs
 */
public record ReproduceOutcome(
    Path folder, Path report, List<Check> checks, List<Missing> missing) {
  /** Copies the lists. */
  public ReproduceOutcome {
    checks = List.copyOf(checks);
    missing = List.copyOf(missing);
  }

  /** Returns how many numbers have a verdict. */
  public long count(Verdict verdict) {
    return checks.stream().filter(check -> check.verdict() == verdict).count();
  }
}
