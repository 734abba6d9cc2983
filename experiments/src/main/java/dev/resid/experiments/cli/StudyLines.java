package dev.resid.experiments.cli;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.study.StudyOutcome;
import java.io.PrintWriter;
import java.nio.file.Path;

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

  /** Prints that one of several parts is finished. */
  static void printPart(PrintWriter console, Path folder) {
    console.println(
        "This part is finished: "
            + folder
            + ". When all are, put them together with 'resid merge OUT FOLDERS...'.");
  }
}
