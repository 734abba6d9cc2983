package dev.resid.experiments.cli;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.StudyOutcome;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** What a study prints when it is finished. */
final class StudyLines {
  private StudyLines() {}

  /** Prints how many expectations hold, and where it says which. */
  static void print(PrintWriter console, StudyOutcome outcome) {
    if (!outcome.findings().isEmpty()) {
      console.println("Of what was expected, " + tally(outcome.findings()) + ".");
    }
    console.println("Report: " + outcome.report());
  }

  /** Returns how many findings have each verdict, in words. */
  static String tally(List<Finding> findings) {
    List<String> parts = new ArrayList<>();
    for (Verdict verdict : Verdict.values()) {
      long n = findings.stream().filter(finding -> finding.verdict() == verdict).count();
      if (n > 0) {
        parts.add(n + " " + (n == 1 ? singular(verdict) : plural(verdict)));
      }
    }
    return String.join(", ", parts);
  }

  private static String singular(Verdict verdict) {
    return switch (verdict) {
      case HOLDS, PARTLY, DOES_NOT_HOLD -> verdict.words();
      case UNDECIDED, TOO_FEW -> "is " + verdict.words();
    };
  }

  private static String plural(Verdict verdict) {
    return switch (verdict) {
      case HOLDS -> "hold";
      case PARTLY -> "hold in part";
      case DOES_NOT_HOLD -> "do not hold";
      case UNDECIDED, TOO_FEW -> "are " + verdict.words();
    };
  }
}
