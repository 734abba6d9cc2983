package dev.resid.experiments.cli;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.study.StudyOutcome;
import java.io.PrintWriter;

/** What a study prints when it is finished. */
final class StudyLines {
  private StudyLines() {}

  /** Prints what was found and where it is. */
  static void print(PrintWriter console, StudyOutcome outcome) {
    for (Finding finding : outcome.findings()) {
      console.println(finding.expected() + ": " + finding.verdict().words() + ".");
    }
    console.println("Report: " + outcome.report());
  }
}
