package dev.resid.experiments.study;

import dev.resid.experiments.report.Section.Finding;
import java.nio.file.Path;
import java.util.List;

/**
 * What a complete run left behind.
 *
 * @param folder its folder
 * @param report its page
 * @param findings what was expected, what was found
 */
public record StudyOutcome(Path folder, Path report, List<Finding> findings) {
  /** Copies the list. */
  public StudyOutcome {
    findings = List.copyOf(findings);
  }
}
