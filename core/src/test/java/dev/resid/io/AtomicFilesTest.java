package dev.resid.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
  @TempDir Path dir;

  private List<String> listing() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void contentReplacesContent() throws IOException {
    Path path = dir.resolve("a.txt");
    AtomicFiles.write(path, "one é");
    AtomicFiles.write(path, new byte[] {'t', 'w', 'o'});
    assertEquals("two", Files.readString(path));
    AtomicFiles.write(
        path,
        out -> {
          out.write(new byte[200_000]);
          out.write('x');
        });
    assertEquals(200_001, Files.size(path));
    assertEquals(List.of("a.txt"), listing());
  }

  @Test
  void aFailureHalfwayLeavesTheOldContentAndNoTemporaryFile() throws IOException {
    Path path = dir.resolve("a.txt");
    AtomicFiles.write(path, "old");
    IOException e =
        assertThrows(
            IOException.class,
            () ->
                AtomicFiles.write(
                    path,
                    out -> {
                      out.write(new byte[500_000]);
                      throw new IOException("No space left on device");
                    }));
    assertTrue(e.getMessage().startsWith(path + ": could not be written"), e.getMessage());
    assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
    assertEquals("old", Files.readString(path));
    assertThrows(
        IllegalStateException.class,
        () ->
            AtomicFiles.write(
                path,
                out -> {
                  throw new IllegalStateException("bug");
                }));
    assertEquals(List.of("a.txt"), listing());
  }

  @Test
  void theOldContentIsThereUntilTheNewIsComplete() throws IOException {
    Path path = dir.resolve("a.txt");
    AtomicFiles.write(path, "old");
    AtomicFiles.write(
        path,
        out -> {
          out.write("new".getBytes());
          out.flush();
          assertEquals("old", Files.readString(path));
        });
    assertEquals("new", Files.readString(path));
  }

  @Test
  void whatAKilledProcessLeftIsRemovedByTheNextWrite() throws IOException {
    // No process has this id: Linux allows at most 4,194,304.
    Files.writeString(dir.resolve(".a.txt.4999999-1.tmp"), "half");
    long alive = ProcessHandle.current().pid();
    Files.writeString(dir.resolve(".a.txt." + alive + "-999999999.tmp"), "in work");
    Files.writeString(dir.resolve(".a.txt.notes.tmp"), "somebody else's");
    Files.writeString(dir.resolve(".b.txt.4999999-1.tmp"), "other target");
    AtomicFiles.write(dir.resolve("a.txt"), "x");
    assertEquals(
        List.of(
            ".a.txt." + alive + "-999999999.tmp",
            ".a.txt.notes.tmp",
            ".b.txt.4999999-1.tmp",
            "a.txt"),
        listing());
  }

  @Test
  void linksAreWrittenThroughAndLongNamesWork() throws IOException {
    Path path = dir.resolve("a.txt");
    AtomicFiles.write(path, "old");
    Path link = Files.createSymbolicLink(dir.resolve("link"), path);
    AtomicFiles.write(link, "new");
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("new", Files.readString(path));
    Path longName = dir.resolve("n".repeat(250));
    AtomicFiles.write(longName, "long");
    assertEquals("long", Files.readString(longName));
  }

  @Test
  void impossibleTargetsAreNamed() throws IOException {
    IOException folder = assertThrows(IOException.class, () -> AtomicFiles.write(dir, "x"));
    assertTrue(folder.getMessage().contains("is a folder"), folder.getMessage());
    Path nowhere = dir.resolve("none").resolve("a.txt");
    NoSuchFileException e =
        assertThrows(NoSuchFileException.class, () -> AtomicFiles.write(nowhere, "x"));
    assertTrue(e.getMessage().contains("folder does not exist"), e.getMessage());
    assertEquals(List.of(), listing());
  }

  @Test
  void hashesAreThoseOfTheStandard() throws IOException {
    Path path = dir.resolve("abc");
    AtomicFiles.write(path, "abc");
    // FIPS 180-2, appendix B.1
    assertEquals(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", FileHash.sha256(path));
    AtomicFiles.write(path, "a".repeat(1_000_000));
    // FIPS 180-2, appendix B.3
    assertEquals(
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", FileHash.sha256(path));
  }
}
