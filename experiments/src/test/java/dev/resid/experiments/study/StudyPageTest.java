package dev.resid.experiments.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.resid.experiments.report.Section.Basis;
import dev.resid.experiments.report.Section.Finding;
import dev.resid.experiments.report.Section.Verdict;
import dev.resid.experiments.result.RunFolder;
import dev.resid.experiments.result.RunRecord;
import dev.resid.experiments.result.Settings;
import dev.resid.experiments.sweep.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyPageTest {
  @TempDir private Path temporary;

  private static final List<Finding> FOUND =
      List.of(
          new Finding("a", "1 (0.9 to 1.1)", Verdict.HOLDS, ""),
          new Finding("b", "2", Verdict.DOES_NOT_HOLD, "Why."),
          new Finding("c", "3", Verdict.UNDECIDED, "Missing."),
          new Finding("d", "4", Verdict.HOLDS, "Exact.", Basis.EVERY_ROW));

  private List<Finding> after(int rows) throws IOException {
    RunRecord record = RunRecord.begin("test", new Settings(), new Settings(), "0/1");
    try (RunFolder out = RunFolder.open(temporary.resolve("run" + rows), record);
        Workers workers = new Workers(1)) {
      return new StudyPage("t", "l").findings("intro", FOUND, rows).write(out, workers).findings();
    }
  }

  @Test
  void tenRowsAreEnough() throws IOException {
    assertEquals(FOUND, after(StudyPage.FEWEST_ROWS));
  }

  @Test
  void fewerRowsGiveNoVerdict() throws IOException {
    List<Finding> found = after(StudyPage.FEWEST_ROWS - 1);
    String why =
        "No verdict: it would rest on 9 rows, prompts or pairs, and intervals from fewer than 10"
            + " are too narrow.";
    assertEquals(new Finding("a", "1 (0.9 to 1.1)", Verdict.TOO_FEW, why), found.get(0));
    assertEquals(new Finding("b", "2", Verdict.TOO_FEW, why + " Why."), found.get(1));
    assertEquals(FOUND.subList(2, 4), found.subList(2, 4), "missing data and exact claims");
    Path folder = temporary.resolve("run9");
    for (String file : List.of("findings.csv", "report.html")) {
      String text = Files.readString(folder.resolve(file));
      assertTrue(text.contains("not decidable at this size") && text.contains(why), text);
    }
  }
}
