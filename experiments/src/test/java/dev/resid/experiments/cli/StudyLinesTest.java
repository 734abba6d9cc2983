package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.study.StudyOutcome;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class StudyLinesTest {
  private static String printed(Verdict... verdicts) {
    List<Finding> findings =
        Arrays.stream(verdicts).map(verdict -> new Finding("a", "b", verdict, "")).toList();
    StringWriter out = new StringWriter();
    PrintWriter console = new PrintWriter(out);
    StudyLines.print(console, new StudyOutcome(Path.of("run"), Path.of("run/page"), findings));
    console.flush();
    return out.toString();
  }

  @Test
  void verdictsAreCounted() {
    assertEquals(
        "Of what was expected, 2 hold, 1 does not hold, 3 are not decidable at this size.\n"
            + "Report: run/page\n",
        printed(
            Verdict.HOLDS,
            Verdict.TOO_FEW,
            Verdict.DOES_NOT_HOLD,
            Verdict.TOO_FEW,
            Verdict.HOLDS,
            Verdict.TOO_FEW));
    assertEquals(
        "Of what was expected, 1 holds, 1 holds in part, 2 do not hold, 1 is not decidable here.\n"
            + "Report: run/page\n",
        printed(
            Verdict.UNDECIDED,
            Verdict.PARTLY,
            Verdict.HOLDS,
            Verdict.DOES_NOT_HOLD,
            Verdict.DOES_NOT_HOLD));
  }

  @Test
  void aStudyWithoutExpectationsSaysNothingOfThem() {
    assertEquals("Report: run/page\n", printed());
  }
}
