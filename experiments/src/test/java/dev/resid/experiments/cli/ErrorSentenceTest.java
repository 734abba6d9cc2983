package dev.resid.experiments.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ErrorSentenceTest {
  @TempDir private Path folder;

  @Test
  void aMissingFileIsNamed() {
    Path missing = folder.resolve("no such file.json");
    String sentence =
        ErrorSentence.of(assertThrows(IOException.class, () -> Files.readString(missing)));
    assertEquals("there is no file or folder " + missing + ".", sentence);
  }

  @Test
  void fileSystemErrorsSayWhatIsWrongWithWhichFile() {
    assertEquals(
        "no permission to read or write /x.", ErrorSentence.of(new AccessDeniedException("/x")));
    assertEquals("/x is not a folder.", ErrorSentence.of(new NotDirectoryException("/x")));
    assertEquals(
        "/x exists already; choose another name.",
        ErrorSentence.of(new FileAlreadyExistsException("/x")));
    assertEquals(
        "cannot read or write /x: Is a directory.",
        ErrorSentence.of(new FileSystemException("/x", null, "Is a directory")));
  }

  @Test
  void aFullDiskIsCalledThat() {
    assertEquals(
        "the disk is full: cannot write /x; free some space or write elsewhere.",
        ErrorSentence.of(new FileSystemException("/x", null, "No space left on device")));
    assertEquals(
        "the disk is full (No space left on device): free some space or write elsewhere.",
        ErrorSentence.of(new IOException("No space left on device")));
  }

  @Test
  void wrappersAreTakenOff() {
    Throwable wrapped =
        new ExecutionException(new UncheckedIOException(new NoSuchFileException("/x")));
    assertEquals("there is no file or folder /x.", ErrorSentence.of(wrapped));
  }

  @Test
  void theLibrarysOwnMessageIsTheSentence() {
    assertEquals(
        "layer 12 of 12", ErrorSentence.of(new IllegalArgumentException("layer 12 of 12")));
    assertEquals("closed", ErrorSentence.of(new IllegalStateException("closed")));
    assertEquals("byte 8 of /x", ErrorSentence.of(new IOException("byte 8 of /x")));
  }

  @Test
  void aMessageOfSeveralLinesBecomesOne() {
    assertEquals("a b c", ErrorSentence.of(new IllegalArgumentException("a\n  b\r\n\tc\n")));
  }

  @Test
  void whatATerminalWouldObeyIsNotShown() {
    assertEquals("a ?[31m b", ErrorSentence.of(new IOException("a \u001b[31m \n b")));
  }

  @Test
  void aFileThatBecameShorterWhileItWasReadIsNoInternalError() {
    String said = "a fault occurred in an unsafe memory access operation";
    String sentence = ErrorSentence.of(new InternalError(said));
    assertTrue(sentence.startsWith("a file became shorter"), sentence);
    assertTrue(ErrorSentence.of(new InternalError("x")).startsWith("internal error"), "others");
  }

  @Test
  void outOfMemoryComesWithAdvice() {
    String sentence = ErrorSentence.of(new OutOfMemoryError("Java heap space"));
    assertTrue(sentence.startsWith("out of memory at a limit of "), sentence);
    assertTrue(sentence.contains("RESID_JAVA_OPTS=-Xmx"), sentence);
  }

  @Test
  void whatNobodyExpectedIsCalledAnInternalError() {
    String sentence = ErrorSentence.of(new NullPointerException("x is null"));
    assertTrue(sentence.startsWith("internal error, java.lang.NullPointerException"), sentence);
    assertTrue(sentence.contains("at dev.resid.experiments.cli.ErrorSentenceTest"), sentence);
    assertTrue(ErrorSentence.of(new IOException()).startsWith("internal error"), "no message");
  }
}
