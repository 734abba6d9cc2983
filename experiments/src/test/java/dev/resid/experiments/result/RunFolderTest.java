package dev.resid.experiments.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
  @TempDir private Path temporary;

  @Test
  void theSameRunGoesOnWithItsFirstBeginning() throws IOException {
    Path folder = temporary.resolve("a/b");
    RunRecord first = record(3, "0/1");
    try (RunFolder opened = RunFolder.open(folder, first)) {
      assertFalse(opened.record().finished().isPresent());
      opened.finish(2.5);
    }
    try (RunFolder again = RunFolder.open(folder, record(3, "0/1"))) {
      assertEquals(first.started(), again.record().started());
      assertEquals(2.5, again.record().computingSeconds());
      assertTrue(again.record().finished().isPresent());
    }
  }

  @Test
  void anotherRunIsRefusedAndTheDifferenceNamed() throws IOException {
    RunFolder.open(temporary, record(3, "0/1")).close();
    assertEquals(
        temporary
            + " is the output folder of another run (layer is 4 here and 3 there);"
            + " choose another --out",
        refusal(record(4, "0/1")));
    assertTrue(refusal(record(3, "1/2")).contains("shard is 1/2 here and 0/1 there"));
    assertEquals(3, RunRecord.read(temporary).settings().whole("layer"));
  }

  @Test
  void aFolderOfOtherFilesIsRefusedAndLeftAlone() throws IOException {
    Files.writeString(temporary.resolve("thesis.tex"), "x");
    assertTrue(refusal(record(3, "0/1")).contains("holds other files (thesis.tex)"));
    try (var files = Files.list(temporary)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void twoProcessesDoNotWorkInOneFolder() throws IOException {
    RunFolder open = RunFolder.open(temporary, record(3, "0/1"));
    assertTrue(refusal(record(3, "0/1")).startsWith("another process is working in"));
    open.close();
    RunFolder.open(temporary, record(3, "0/1")).close();
  }

  @Test
  void whatAKillAtTheBeginningLeavesIsNoObstacle() throws IOException {
    Files.createFile(temporary.resolve(".lock"));
    Files.createFile(temporary.resolve("." + RunRecord.FILE + ".123-1.tmp"));
    RunFolder.open(temporary, record(3, "0/1")).close();
  }

  @Test
  void aRecordIsReadBackAsItWasWritten() throws IOException {
    RunRecord written = record(3, "2/5").finish(1.25);
    written.write(temporary);
    RunRecord read = RunRecord.read(temporary);
    assertEquals(written, read);
    assertEquals(0.1, read.settings().number("ridge"));
    assertEquals(java.util.List.of("a", "b"), read.settings().list("directions"));
    assertEquals(2, read.settings().numbers("lengths")[1]);
  }

  @Test
  void aDamagedRecordIsNamed() throws IOException {
    Files.writeString(temporary.resolve(RunRecord.FILE), "{\"format\": \"resid-run/2\", ");
    String message = assertThrows(IOException.class, () -> RunRecord.read(temporary)).getMessage();
    assertTrue(message.contains(RunRecord.FILE + ": is not a run record"), message);
  }

  /** None of its texts and numbers can become another one unnoticed. */
  @Test
  void everyBitOfARecordCounts() throws IOException {
    RunRecord record = record(3, "0/1").finish(1.25);
    record.write(temporary);
    Path file = temporary.resolve(RunRecord.FILE);
    byte[] sound = Files.readAllBytes(file);
    for (int i = 0; i < sound.length; i++) {
      byte[] damaged = sound.clone();
      damaged[i] ^= (byte) (1 << i % 7);
      Files.write(file, damaged);
      try {
        assertEquals(record, RunRecord.read(temporary), "byte " + i);
        assertTrue(Character.isWhitespace(sound[i]), "byte " + i);
      } catch (IOException e) {
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
      }
    }
    Files.writeString(file, new String(sound, StandardCharsets.UTF_8).replace("here", "there"));
    String message = assertThrows(IOException.class, () -> RunRecord.read(temporary)).getMessage();
    assertTrue(message.contains("not that of its checksum"), message);
  }

  @Test
  void theLayoutOfARecordDoesNotCount() throws IOException {
    RunRecord record = record(3, "0/1");
    Files.writeString(
        temporary.resolve(RunRecord.FILE), record.toJson().replaceAll("\\n *", "\r\n\t"));
    assertEquals(record, RunRecord.read(temporary));
  }

  private String refusal(RunRecord record) {
    return assertThrows(IllegalStateException.class, () -> RunFolder.open(temporary, record))
        .getMessage();
  }

  private static RunRecord record(int layer, String shard) {
    Settings settings =
        new Settings()
            .with("layer", layer)
            .with("ridge", 0.1)
            .with("directions", java.util.List.of("a", "b"))
            .with("lengths", 1, 2);
    return RunRecord.begin("sensitivity", settings, new Settings().with("model", "here"), shard);
  }
}
