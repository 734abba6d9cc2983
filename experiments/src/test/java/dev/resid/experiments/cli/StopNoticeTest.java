package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class StopNoticeTest {
  private final StringWriter said = new StringWriter();

  private StopNotice notice() {
    return new StopNotice(new PrintWriter(said), Path.of("runs", "mine"));
  }

  @Test
  void aStoppedCommandSaysHowItGoesOn() {
    try (StopNotice notice = notice()) {
      notice.say();
    }
    assertEquals(
        "resid: what was finished is in "
            + Path.of("runs", "mine")
            + "; the same command goes on from there.",
        said.toString().strip());
  }

  @Test
  void aFinishedCommandSaysNothingAtTheEndOfTheProcess() {
    StopNotice notice = notice();
    assertTrue(notice.watches());
    notice.close();
    assertFalse(notice.watches());
  }
}
