package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.resid.progress.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LineProgressTest {
  private final StringWriter log = new StringWriter();
  private long now = TimeUnit.SECONDS.toNanos(1_000);
  private final Progress progress = new LineProgress(new PrintWriter(log, true), () -> now);

  @Test
  void aShortTaskSaysNothing() {
    try (Progress.Task task = progress.begin("training", "tokens", 0, 100)) {
      after(4.9);
      task.advanceTo(100);
    }
    assertEquals("", log.toString());
  }

  @Test
  void aLineHasPercentRateAndTimeLeft() {
    Progress.Task task = progress.begin("training", "tokens", 0, 1000);
    task.detail("loss 3.2");
    after(10);
    task.advanceTo(250);
    assertEquals(
        "training: 250 of 1000 tokens (25.0%), 25.0/s, 0:30 left, loss 3.2\n",
        log.toString().replace("\r\n", "\n"));
  }

  @Test
  void thereIsALineAtMostEveryFiveSeconds() {
    Progress.Task task = progress.begin("training", "tokens", 0, 1000);
    for (int i = 1; i <= 200; i++) {
      after(0.1);
      task.advanceTo(i);
    }
    assertEquals(4, log.toString().lines().count(), log.toString());
  }

  @Test
  void unitsOfAnEarlierRunCountForThePercentageAndNotForTheRate() {
    Progress.Task task = progress.begin("training", "tokens", 900, 1000);
    after(5);
    task.advanceTo(950);
    assertEquals("training: 950 of 1000 tokens (95.0%), 10.0/s, 0:05 left", log.toString().strip());
  }

  @Test
  void anUnknownTotalGivesTheCountAlone() {
    Progress.Task task = progress.begin("reading", "bytes", 0, 0);
    after(5);
    task.advanceTo(50);
    assertEquals("reading: 50 bytes, 10.0/s", log.toString().strip());
  }

  @Test
  void aLogThatHasLinesEndsWithTheLastState() {
    try (Progress.Task task = progress.begin("training", "tokens", 0, 100)) {
      after(6);
      task.advanceTo(90);
      after(1);
      task.advanceTo(100);
    }
    assertEquals(
        "training: 100 of 100 tokens (100.0%), 14.3/s", log.toString().lines().toList().getLast());
  }

  @Test
  void itsLinesAreKnownFromSentences() {
    try (Progress.Task task = progress.begin("training", "tokens", 0, 100_000)) {
      task.detail("loss 3.2");
      for (int i = 1; i <= 3; i++) {
        after(6);
        task.advanceTo(i * 30_000L);
      }
    }
    Progress.Task reading = progress.begin("reading: a file", "bytes", 0, 0);
    after(5);
    reading.advanceTo(1);
    String sentence = "resid: model: 3 of 4 rows could not be read, at 4/s\n";
    assertEquals(4, log.toString().lines().count(), log.toString());
    assertEquals(sentence, ProgressLines.without(log + sentence));
  }

  @Test
  void durationsAreHoursMinutesSeconds() {
    assertEquals("0:09", LineProgress.duration(9.4));
    assertEquals("59:59", LineProgress.duration(3599));
    assertEquals("1:00:00", LineProgress.duration(3600));
    assertEquals("26:03:05", LineProgress.duration(26 * 3600 + 3 * 60 + 5));
  }

  private void after(double seconds) {
    now += Math.round(seconds * 1e9);
  }
}
