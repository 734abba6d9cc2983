package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StandardOutputTest {
  @Test
  void whatIsWrittenArrives() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintWriter out = StandardOutput.writer(bytes, StandardCharsets.UTF_8);
    out.print("é\n");
    out.flush();
    assertEquals("é\n", bytes.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aReaderThatWentAwayEndsTheCommandInSilence() {
    StringWriter err = new StringWriter();
    int code = ResidCommand.execute(failing("Broken pipe"), new PrintWriter(err), "--help");
    assertEquals(ResidCommand.READER_GONE, code);
    assertEquals("", err.toString());
  }

  @Test
  void aReaderThatWentAwayEndsASubcommandInSilence() {
    StringWriter err = new StringWriter();
    int code = ResidCommand.execute(failing("Broken pipe"), new PrintWriter(err), "doctor");
    assertEquals(ResidCommand.READER_GONE, code);
    assertEquals("", err.toString());
  }

  @Test
  void aFullDiskIsAnError() {
    StringWriter err = new StringWriter();
    int code =
        ResidCommand.execute(failing("No space left on device"), new PrintWriter(err), "doctor");
    assertEquals(ResidCommand.FAILED, code);
    assertTrue(
        err.toString()
            .startsWith("resid: cannot write to standard output: No space left on device"),
        err.toString());
  }

  private static PrintWriter failing(String message) {
    OutputStream refusing =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException(message);
          }
        };
    return StandardOutput.writer(refusing, StandardCharsets.UTF_8);
  }
}
