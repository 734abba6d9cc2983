package dev.resid.experiments.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Ways in which a file cannot be read, for administrators too, whom permissions do not stop. */
enum Unreadable {
  /** A folder has its name. */
  FOLDER("is a folder"),
  /** Opening it works, reading its first byte is an error of input and output. Linux only. */
  ERROR("gives an error of input and output"),
  /** It cannot be opened: a link to itself. */
  LOOP("is a link to itself"),
  /** Permissions forbid it. Not for administrators. */
  FORBIDDEN("must not be read");

  private static final Path MEMORY = Path.of("/proc/self/mem");

  private final String words;

  Unreadable(String words) {
    this.words = words;
  }

  /** Returns those that work on this machine and for this user. */
  static List<Unreadable> here() {
    return Arrays.stream(values())
        .filter(
            each ->
                switch (each) {
                  case FOLDER -> true;
                  case ERROR -> Files.exists(MEMORY);
                  case LOOP ->
                      Path.of("").getFileSystem().supportedFileAttributeViews().contains("posix");
                  case FORBIDDEN ->
                      !System.getProperty("user.name").equals("root")
                          && Path.of("")
                              .getFileSystem()
                              .supportedFileAttributeViews()
                              .contains("posix");
                })
        .toList();
  }

  /** Returns one of them. */
  static Unreadable any(SplittableRandom random) {
    return here().get(random.nextInt(here().size()));
  }

  /** Makes a file so and returns what it is then, in words. */
  String make(Path file) throws IOException {
    switch (this) {
      case FOLDER -> {
        Files.delete(file);
        Files.createDirectory(file);
      }
      case ERROR -> {
        Files.delete(file);
        Files.createSymbolicLink(file, MEMORY);
      }
      case LOOP -> {
        Files.delete(file);
        Files.createSymbolicLink(file, file.getFileName());
      }
      case FORBIDDEN ->
          Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
    }
    return words;
  }
}
